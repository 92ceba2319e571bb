"""Keys and certificates as Java has stored them since before Kafka read PEM.

Owns the two kinds of PKCS12 store. Pure: PEM texts in, bytes out. Imported only where `tls` was:
that module says what to do when the package is missing.
"""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12Certificate,
    serialize_java_truststore,
    serialize_key_and_certificates,
)


def key_store(pem: str, password: str) -> bytes:
    """Return a store of the key and the certificate in `pem`."""
    content = pem.encode("ascii")
    key = load_pem_private_key(content, None)
    assert isinstance(key, EllipticCurvePrivateKey)  # noqa: S101  # our authority issues no other
    certificate = x509.load_pem_x509_certificate(content)
    return serialize_key_and_certificates(b"key", key, certificate, None, _locked(password))


def trust_store(pem: str, password: str) -> bytes:
    """Return a store that trusts the certificate in `pem`: Java wants a mark on it that says so."""
    certificate = PKCS12Certificate(x509.load_pem_x509_certificate(pem.encode("ascii")), b"ca")
    return serialize_java_truststore([certificate], _locked(password))


def _locked(password: str) -> BestAvailableEncryption:
    return BestAvailableEncryption(password.encode("ascii"))
