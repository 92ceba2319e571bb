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
    """One version: what it runs on, and which of our modes were tried with it."""

    number: str
    scala: str
    authorizer: str
    kraft: bool = False
    secure: bool = False
    mirror_maker: bool = False
    """Whether MirrorMaker 2 was published with it (connect-mirror: from 2.7 on)."""
    logging: tuple[str, ...] = ()
    """Roots to add so that slf4j finds a backend; older ones bring log4j 1 along."""

    @property
    def roots(self) -> tuple[str, ...]:
        """The artifacts that, with all they need, make the class path."""
        core = (
            f"org.apache.kafka:kafka_{self.scala}:{self.number}",
            f"org.apache.kafka:kafka-tools:{self.number}",
        )
        mirror = (f"org.apache.kafka:connect-mirror:{self.number}",) if self.mirror_maker else ()
        return core + mirror + self.logging


KNOWN = {
    version.number: version
    for version in (
        KafkaVersion(number="0.10.2.2", scala="2.12", authorizer=_SIMPLE_ACL),
        KafkaVersion(number="1.1.1", scala="2.12", authorizer=_SIMPLE_ACL),
        KafkaVersion(number="2.4.1", scala="2.12", authorizer=_ACL),
        KafkaVersion(number="2.8.2", scala="2.12", authorizer=_ACL, mirror_maker=True),
        KafkaVersion(
            number="3.9.2",
            scala="2.13",
            authorizer=_STANDARD,
            kraft=True,
            secure=True,
            mirror_maker=True,
        ),
        KafkaVersion(
            number="4.3.1",
            scala="2.13",
            authorizer=_STANDARD,
            kraft=True,
            secure=True,
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
