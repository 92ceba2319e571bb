"""An application that writes both sides until somebody kills it, and keeps a journal of reports.

    python dual_child.py PRIMARY SECONDARY TOPIC MAP JOURNAL

Owns nothing but its journal: a line for each report, written before the next record is sent.
"""

import os
import sys

from confluent_kafka import KafkaError

from kferry import DualProducer
from kferry.dualwrite import DualReport


def main() -> None:
    primary, secondary, topic, map_file, journal = sys.argv[1:]
    out = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def reported(error: KafkaError | None, report: DualReport) -> None:
        one, other = report.primary, report.secondary
        places = f"{one.partition} {one.offset} {other.state} {other.offset}"
        os.write(out, f"{error} {report.value().decode()} {places}\n".encode())

    producer = DualProducer(
        {"bootstrap.servers": primary, "linger.ms": 1},
        secondary={"bootstrap.servers": secondary, "linger.ms": 1},
        map_file=map_file,
    )
    number = 0
    while True:
        producer.produce(topic, f"{os.getpid()}-{number}", f"{number % 7}", on_delivery=reported)
        producer.poll(0 if number % 50 else 0.02)
        number += 1


if __name__ == "__main__":
    main()
