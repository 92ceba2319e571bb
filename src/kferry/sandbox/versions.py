"""The Kafka versions a sandbox can run, and what sets each apart.

Owns the catalogue. Knows nothing of jars on disk, processes or settings: others ask it.
"""

import difflib
from dataclasses import dataclass

from kferry.sandbox.errors import NOTHING_RUNS, UnknownVersionError

ZOOKEEPER = "3.5.9"
"""The one ZooKeeper under every version that needs one: it came with Kafka 2.8.2."""

_STANDARD = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
_ACL = "kafka.security.authorizer.AclAuthorizer"  # since 2.4
_SIMPLE_ACL = "kafka.security.auth.SimpleAclAuthorizer"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaVersion:
    """One version: what it runs on, and what it can do."""

    number: str
    scala: str
    authorizer: str
    kraft: bool = False
    mirror_maker: bool = False
    """Whether MirrorMaker 2 was published with it (connect-mirror: from 2.7 on)."""
    logging: tuple[str, ...] = ()
    """Roots to add so that slf4j finds a backend; older ones bring log4j 1 along."""
    missing: tuple[str, ...] = ()
    """Roots to add for what was part of Java once."""

    @property
    def release(self) -> tuple[int, ...]:
        """The number, comparable."""
        return tuple(map(int, self.number.split(".")))

    @property
    def acl_calls(self) -> bool:
        """Whether ACLs are made by asking a broker; before, they lie in ZooKeeper."""
        return self.release >= (0, 11)

    @property
    def listener_jaas(self) -> bool:
        """Whether a listener's settings say how users log in; before, a file of the JVM does."""
        return self.release >= (1, 1)

    @property
    def prefixed_acls(self) -> bool:
        """Whether an ACL can be for all names that begin alike (KIP-290)."""
        return self.release >= (2, 0)

    @property
    def maps_names(self) -> bool:
        """Whether CN=admin can be made User:admin (KIP-371)."""
        return self.release >= (2, 2)

    @property
    def pem(self) -> bool:
        """Whether stores can be PEM files as ours (KIP-651): 2.7 and 2.8 insist on a password."""
        return self.release >= (3, 0)

    @property
    def roots(self) -> tuple[str, ...]:
        """The artifacts that, with all they need, make the class path."""
        core = (
            f"org.apache.kafka:kafka_{self.scala}:{self.number}",
            f"org.apache.kafka:kafka-tools:{self.number}",
        )
        mirror = (f"org.apache.kafka:connect-mirror:{self.number}",) if self.mirror_maker else ()
        return core + mirror + self.logging + self.missing


KNOWN = {
    version.number: version
    for version in (
        KafkaVersion(
            number="0.10.2.2",
            scala="2.12",
            authorizer=_SIMPLE_ACL,
            # SCRAM credentials are read with its base 64.
            missing=("javax.xml.bind:jaxb-api:2.3.1",),
        ),
        KafkaVersion(number="1.1.1", scala="2.12", authorizer=_SIMPLE_ACL),
        KafkaVersion(number="2.4.1", scala="2.12", authorizer=_ACL),
        KafkaVersion(number="2.8.2", scala="2.12", authorizer=_ACL, mirror_maker=True),
        KafkaVersion(
            number="3.9.2",
            scala="2.13",
            authorizer=_STANDARD,
            kraft=True,
            mirror_maker=True,
        ),
        KafkaVersion(
            number="4.3.1",
            scala="2.13",
            authorizer=_STANDARD,
            kraft=True,
            mirror_maker=True,
            logging=("org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",),
        ),
    )
}
NEWEST = "4.3.1"


def find(number: str) -> KafkaVersion:
    """Return the version called `number`, or say which there are."""
    if version := KNOWN.get(number):
        return version
    near = difflib.get_close_matches(number, KNOWN, n=1, cutoff=0.0)[0]
    raise UnknownVersionError(
        f"the sandbox has no Kafka {number}",
        f"it has {', '.join(KNOWN)}",
        hint=f"the nearest is {near}: kferry sandbox up --source-version {near} "
        f"--target-version {near}",
        changed=NOTHING_RUNS,
    )
