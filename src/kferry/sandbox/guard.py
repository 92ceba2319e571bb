"""Starts a program that ends when its owner does: `guard.py LIFELINE PID_FILE PROGRAM ARGS…`.

Run as a script, by path and without site-packages: it imports the standard library alone and must
stay that way. LIFELINE is the reading end of a pipe whose writing end the owner holds. This script
returns as soon as PROGRAM runs; a guard stays behind and waits. It kills PROGRAM when the lifeline
ends without a word, which is what happens when the owner dies, by SIGKILL too; it goes in peace
when the owner has let go with a byte, or when PROGRAM has ended.
"""

import os
import select
import signal
import sys
from pathlib import Path


def main(lifeline: int, pid_file: Path, program: list[str]) -> None:
    """Start `program`, write down its id, leave a guard behind."""
    # The program holds the writing end and never writes: reading ends when the program does.
    ended, alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(lifeline)
        os.set_inheritable(alive, True)  # noqa: FBT003  # the standard library's own signature
        os.execv(program[0], program)  # noqa: S606  # no shell is wanted
    pid_file.write_text(str(pid), encoding="ascii")
    if os.fork() == 0:
        os.close(alive)
        _guard(pid, lifeline, ended)


def _guard(pid: int, lifeline: int, ended: int) -> None:
    ready, _, _ = select.select([lifeline, ended], [], [])
    if ended not in ready and os.read(lifeline, 1) == b"":
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
