"""The command tree, declared in one place, and the one way out of the process.

Owns which commands there are and which exit code an end has. Commands are imported when they are
run: `--help` stays instant.
"""

import os
import sys
import traceback
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group

from kferry import __version__
from kferry.cli.arguments import arrange
from kferry.cli.console import say, show_error
from kferry.cli.kafka_words import understood
from kferry.errors import ExitCode, KferryError, UsageError

_WITH_SUBCOMMANDS = frozenset(
    {
        ("control",),
        ("groups",),
        ("inspect",),
        ("ledger",),
        ("messages",),
        ("offsets",),
        ("sandbox",),
        ("sandbox", "break"),
        ("sandbox", "live"),
        ("verify",),
    }
)
_INTERRUPTED = ExitCode.STOPPED_EARLY

_PREPARE = Group("Prepare", sort_key=1)
_MOVE = Group("Move", sort_key=2)
_PROVE = Group("Prove", sort_key=3)
_SWITCH = Group("Switch", sort_key=4)
_LOOK = Group("Look", sort_key=5)
_TRY = Group("Try", sort_key=6)


def build() -> App:
    """Build the command tree in the order of a migration."""
    app = App(
        name="kferry",
        help="Moves live Kafka workloads from one cluster to another, exactly, and proves it.",
        version=f"kferry {__version__}",
        help_formatter="plain",
        suppress_keyboard_interrupt=False,
    )
    app["--help"].group = app["--version"].group = Group("Help", sort_key=9)
    app.command(
        "kferry.cli.init:run",
        name="init",
        help="write an annotated kferry.yaml, from what the clusters show\n\n"
        "kferry init --name orders-2026 --source HOST:PORT --target HOST:PORT\n\n"
        "It works without any cluster, too, and with --from-mm2 FILE it takes over a MirrorMaker 2 "
        "set-up and says what has no counterpart. A file that is there is never overwritten.",
        group=_PREPARE,
        sort_key=1,
    )
    app.command(
        "kferry.cli.check:run",
        name="check",
        help="look at both clusters first: reachability, rights, space, limits\n\n"
        "Every advertised listener is tried from here, every right is asked for, and nothing is "
        "written to either side. Name one side only to look at that one. Exit codes: 0 fit, "
        "5 something forbids, 6 a cluster did not answer.",
        group=_PREPARE,
        sort_key=2,
    )
    app.command(_inspect())
    app.command(
        "kferry.cli.plan:run",
        name="plan",
        help="say what would be created and changed on the target, and what is left behind\n\n"
        "Topics with their settings, access rules, users and quotas of both sides are compared; "
        "nothing is written. Without --topic: every topic that is not internal. Exit codes: 0 "
        "done, 2 usage, 6 a cluster did not answer; with --detailed-exitcode 3 there is something "
        "to do, 5 only a decision is open.",
        group=_PREPARE,
        sort_key=4,
    )
    app.command(
        "kferry.cli.apply:run",
        name="apply",
        help="do on the target what the plan says\n\n"
        "Only adds: nothing is deleted or made smaller, and nothing is written to the source. What "
        "fails does not keep the rest; a second run has nothing to do. Exit codes: 0 done, "
        "1 something failed, 2 usage, 5 refused, or a decision is open, 6 try again, 8 the ledger "
        "belongs to other clusters, or is held.",
        group=_PREPARE,
        sort_key=5,
    )
    app.command(
        "kferry.cli.copy:run",
        name="copy",
        help="copy the records of topics, exactly once, and follow\n\n"
        "kferry copy --source A:9092 --target B:9092 --topic orders --until-caught-up\n\n"
        "Missing target topics are created; nothing is written to the source. Killed or stopped, "
        "the same command goes on where it was. Ctrl-C once stops at a safe point, twice stops "
        "now. Exit codes: 0 done or stopped while following, 1 a partition could not go on, "
        "2 usage, 5 refused, 6 try again, 7 stopped before its goal, 8 the ledger belongs to other "
        "clusters, or is held.",
        group=_MOVE,
        sort_key=1,
    )
    app.command(_control())
    app.command(_groups())
    app.command(_offsets())
    app.command(_messages())
    app.command(
        "kferry.cli.verify:app",
        name="verify",
        help="compare what arrived with what was sent, record for record\n\n"
        "kferry verify --source A:9092 --target B:9092\n\n"
        "Works while traffic flows: what is compared is what was copied when the command began. "
        "What retention or compaction took from the source since is no difference. Nothing is "
        "written to either side. Exit codes: 0 the same, 1 a partition could not be compared, "
        "2 usage, 4 there are differences, 6 try again, 7 stopped before its end, 8 the ledger "
        "belongs to other clusters.",
        group=_PROVE,
        sort_key=1,
    )
    app.command(
        "kferry.cli.cutover:run",
        name="cutover",
        help="switch applications over, step by step, each entered by a measured condition\n\n"
        "kferry cutover --scheme mirror --source HOST:PORT --target HOST:PORT\n\n"
        "Without --scheme the ways are listed. Applications are stopped and started by executables "
        "in hooks/, or by you when you are told; what must be so is measured. Killed or stopped, "
        "the same command goes on. Exit codes: 0 done, 2 usage, 5 a gate stayed shut and the step "
        "was taken back, 7 stopped on the way, 8 another process walks it.",
        group=_SWITCH,
        sort_key=1,
    )
    app.command(
        "kferry.cli.cutover:roll_back",
        name="rollback",
        help="take a cutover back, the last step first\n\n"
        "Up to the point of no return: positions on the target become what they were, and "
        "applications go back to the source. Exit codes: 0 done, 2 nothing is under way, 5 a gate "
        "stayed shut or the point of no return is behind.",
        group=_SWITCH,
        sort_key=2,
    )
    app.command(
        "kferry.cli.complete:run",
        name="complete",
        help="end a migration: the target's topics get their own settings\n\n"
        "While it copies, kferry keeps retention and the cleaner away from topics it created, and "
        "from others with --suspend-retention. This ends it: what is older than a topic's "
        "retention goes, and beforehand it is said how much that is. Exit codes: 0 done, 1 a topic "
        "did not get its settings, 2 usage, 5 groups have yet to read what would go, a cutover is "
        "under way, or somebody said no, 8 a copy is at work.",
        group=_SWITCH,
        sort_key=3,
    )
    app.command(
        "kferry.cli.cancel:run",
        name="cancel",
        help="give a migration up before anything was handed over\n\n"
        "Settings and positions on the target become what they were, the ledger goes into a file "
        "and is deleted. Topics stay; with --delete-created those go that kferry created and that "
        "hold nothing but its records. A second run has nothing to do. Exit codes: 0 done, "
        "1 something could not be taken away, 2 usage, 5 refused, or somebody said no, 8 a copy is "
        "at work.",
        group=_SWITCH,
        sort_key=4,
    )
    app.command(_ledger())
    app.command(
        "kferry.cli.status:run",
        name="status",
        help="how far a migration is, from any machine\n\n"
        "It is read from the ledger on the target: topics, rates, lag, what limits the copy, what "
        "stopped; and where a cutover stands. Nothing is written.",
        group=_LOOK,
        sort_key=1,
    )
    app.command(_sandbox())
    app.command(
        "kferry.cli.demo:run",
        name="demo",
        help="the whole story on two clusters of its own, narrated\n\n"
        "Starts two Kafka clusters and applications that write and read on one of them; copies, "
        "is killed, goes on; moves the applications to the other with the mirror scheme; and lets "
        "their own journals tell what was lost or repeated. Takes about a minute and leaves "
        "nothing behind. With --json the last line holds the counts and `interruption_ms`.",
        group=_TRY,
    )
    return app


def _control() -> App:
    control = App(
        name="control",
        help="change a running copy, from any machine\n\n"
        "What is asked for is written to the ledger on the target, and the process that copies "
        "hears of it within seconds. It holds for that process: one that is started later begins "
        "with its own --rate, and not paused.",
        group=_MOVE,
        sort_key=2,
        help_formatter="plain",
    )
    for name, help_ in (
        ("rate", "how fast it copies at most, as in 50MiB/s; `off` lifts the limit"),
        ("pause", "copy nothing more for now"),
        ("resume", "go on after a pause"),
        ("stop", "stop at a safe point and end"),
    ):
        control.command(f"kferry.cli.control:{name}", name=name, help=help_)
    return control


def _groups() -> App:
    groups = App(
        name="groups",
        help="where every group stands, and where it goes on, on the target",
        group=_MOVE,
        sort_key=3,
        help_formatter="plain",
    )
    groups.command(
        "kferry.cli.groups:show",
        name="show",
        help="both sides of every group: position, lag, and where it goes on\n\n"
        "Nothing is written. What is not copied yet has no answer yet.",
    )
    groups.command(
        "kferry.cli.groups:sync",
        name="sync",
        help="commit on the target where every group goes on, and read it back\n\n"
        "An active group is never moved there, and none goes back without --force. With --follow "
        "it goes on while applications still run on the source. Exit codes: 0 done, or stopped "
        "while following, 1 a position was not set, 2 usage, 5 somebody said no, or a group is "
        "active on the target, 7 some positions are not copied yet.",
    )
    groups.command(
        "kferry.cli.groups_reset:reset",
        name="reset",
        help="set where groups go on, on one named cluster\n\n"
        "kferry groups reset --target HOST:PORT --group NAME --topic orders --to-datetime "
        "2026-03-01T12:00:00Z\n\n"
        "It is only shown; with --execute it is done, and read back. A group that is active is "
        "never moved. Exit codes: 0 done, 1 a position was not set, 2 usage, 5 a group is active.",
    )
    groups.command(
        "kferry.cli.groups_snapshot:export",
        name="export",
        help="write all positions of one named cluster to a file\n\n"
        "kferry groups export before.json --target HOST:PORT\n\n"
        "With cluster, time and what each group wrote beside its positions. Exit codes: 0 done, "
        "1 a position could not be read, 2 usage.",
    )
    groups.command(
        "kferry.cli.groups_snapshot:import_",
        name="import",
        help="set positions on one named cluster as a file has them\n\n"
        "kferry groups import before.json --target HOST:PORT\n\n"
        "It is only shown; with --execute it is done, and read back. Groups that are not in the "
        "file stay as they are. Exit codes: 0 done, 1 a position was not set, 2 usage, 5 a group "
        "is active, or the file is about another cluster.",
    )
    return groups


def _ledger() -> App:
    ledger = App(
        name="ledger",
        help="what a migration remembers of itself, on the target",
        group=_LOOK,
        sort_key=2,
        help_formatter="plain",
    )
    ledger.command(
        "kferry.cli.ledger:show", name="show", help="list its documents; with --json, all of them"
    )
    ledger.command(
        "kferry.cli.ledger:export",
        name="export",
        help="write its documents to a file, one JSON object a line\n\n"
        "kferry ledger export ledger.jsonl -m NAME --target HOST:PORT",
    )
    return ledger


def _offsets() -> App:
    offsets = App(
        name="offsets",
        help="offsets by place or time, and for applications that keep their own",
        group=_MOVE,
        sort_key=4,
        help_formatter="plain",
    )
    offsets.command(
        "kferry.cli.offsets_get:get",
        name="get",
        help="offsets by place or time, on one cluster or both\n\n"
        "kferry offsets get --source HOST:PORT --topic orders --time 2026-03-01T12:00:00Z\n\n"
        "One topic:partition:offset a line; where there is no such record, none, and it is said. "
        "Nothing is written. Exit codes: 0 done, 1 a partition gave no answer, 2 usage, 6 try "
        "again.",
    )
    offsets.command(
        "kferry.cli.offsets:translate",
        name="translate",
        help="offsets of the source, said in offsets of the target, or back\n\n"
        "kferry offsets translate orders:0:4711 -m NAME --target HOST:PORT\n\n"
        "Exit codes: 0 done, 2 usage, 7 an offset has no answer, or none yet.",
    )
    return offsets


def _messages() -> App:
    messages = App(
        name="messages",
        help="look at records on either side",
        group=_PROVE,
        sort_key=2,
        help_formatter="plain",
    )
    messages.command(
        "kferry.cli.messages:query",
        name="query",
        help="find records by time, offset or content\n\n"
        "kferry messages query --source HOST:PORT --topic orders --last 10\n\n"
        "Nothing is written. Exit codes: 0 done, 1 a partition could not be read, 2 usage, "
        "6 try again, 7 a limit ended it before it had found enough.",
    )
    messages.command(
        "kferry.cli.messages_tail:tail",
        name="tail",
        help="show records as they come, on one side or both\n\n"
        "kferry messages tail --target HOST:PORT --topic orders\n\n"
        "Nothing is written. Ctrl-C ends it, with exit code 0.",
    )
    messages.command(
        "kferry.cli.messages_compare:compare",
        name="compare",
        help="both sides of a topic next to each other, or one record on both\n\n"
        "kferry messages compare --source HOST:PORT --target HOST:PORT --topic orders\n\n"
        "First and newest record, growth in a minute, how far the copy is. With --partition and "
        "--offset one record is found on the other side by the copy's offset map. Nothing is "
        "written. Exit codes: 0 done, 2 usage, 4 what is there twice differs, 6 try again, "
        "7 not copied yet, or no longer there.",
    )
    messages.command(
        "kferry.cli.messages_send:send",
        name="send",
        help="send a few records, as a test of a cluster\n\n"
        "kferry messages send --target HOST:PORT --topic smoke-test --value hello --execute\n\n"
        "Without --execute nothing is sent. A source, and a topic that a copy writes to, need "
        "--force. Exit codes: 0 done, 1 a record was not acknowledged, 2 usage, 5 refused, "
        "6 try again, 7 stopped now.",
    )
    return messages


def _inspect() -> App:
    inspect = App(
        name="inspect",
        help="what is really there, on either side or both",
        group=_PREPARE,
        sort_key=3,
        help_formatter="plain",
    )
    for name, path, help_ in (
        ("topics", "topics:topics", "partitions, settings, size, records, rate, last write"),
        ("groups", "groups:groups", "type, state, members, and lag to the last stable offset"),
        ("acls", "access:acls", "every binding"),
        ("users", "access:users", "SCRAM users, their mechanisms and iterations"),
        ("quotas", "access:quotas", "client quotas"),
        ("producers", "producers:producers", "who writes, and which transactions are open"),
        ("configs", "configs:configs", "broker settings that are not default, and differences"),
    ):
        inspect.command(f"kferry.cli.inspect.{path}", name=name, help=help_)
    return inspect


def _sandbox() -> App:
    sandbox = App(
        name="sandbox",
        help="two real Kafka clusters on this machine",
        group=_TRY,
        help_formatter="plain",
    )
    prepare = (
        "fetch Kafka and let Java learn it: brokers and tools then start in half the time\n\n"
        "It is never needed: what is missing is fetched when it is. It is of use before many "
        "starts, as in tests, and where there is no network later on."
    )
    for name, help_ in (
        ("prepare", prepare),
        ("up", "start both clusters; they outlive the command"),
        ("status", "show the sandboxes of this machine"),
        ("run", "run a class of a cluster's own Kafka jars, such as an official tool"),
        ("down", "stop both clusters and remove everything"),
    ):
        sandbox.command(f"kferry.cli.sandbox:{name}", name=name, help=help_)
    sandbox.command(
        "kferry.cli.sandbox_load:run",
        name="load",
        help="fill a cluster with every shape of data that real ones hold, or with live traffic\n\n"
        "Each shape has topics of its own, called load-SHAPE. Loading the same again changes "
        "nothing; a shape that the cluster's version cannot hold is left out with the reason.\n\n"
        "With --live: producers and consumers that write and read numbered records on the source, "
        "in the background, until `sandbox live stop --all` or `sandbox down`. Every record that "
        "was acknowledged and every one that was seen is journalled, for `sandbox judge`.",
    )
    sandbox.command(_live())
    sandbox.command(
        "kferry.cli.sandbox_judge:judge",
        name="judge",
        help="what became of the live traffic's records: lost, repeated, out of order\n\n"
        "The traffic may go on meanwhile: what was acknowledged until now is judged. Exit codes: "
        "0 every group saw all of it, once and in order; 4 something was lost, repeated or out of "
        "order.",
    )
    sandbox.command(_break())
    return sandbox


def _live() -> App:
    live = App(
        name="live",
        help="tell live traffic what to do; `sandbox load --live` starts it",
        help_formatter="plain",
    )
    stop = (
        "stop clients in good order\n\nProducers send what they hold, consumers commit what they "
        "have read, and leave their group unless it is static. Returns when they are gone."
    )
    start = (
        "start clients that do not run\n\nA group may run on both sides at once, a producer on "
        "one. Returns when they really work there."
    )
    move = (
        "stop clients on the other side and start them on this one\n\nReturns when they really "
        "work there. Their topics must be there; `kferry copy` makes them."
    )
    for name, help_ in (
        ("status", "show every client: where it runs, and what it has done there"),
        ("stop", stop),
        ("start", start),
        ("move", move),
        ("pause", "let clients run on and do nothing; consumers stay in their groups"),
        ("resume", "let paused clients go on, and end transactions that were left open"),
        ("hang", "let a transactional producer leave a transaction open, until `resume` or `stop`"),
    ):
        live.command(f"kferry.cli.sandbox_live:{name}", name=name, help=help_)
    return live


def _break() -> App:
    faults = App(name="break", help="faults on command", help_formatter="plain")
    for name, help_ in (
        ("kill", "end a broker as a power cut would"),
        ("pause", "freeze a broker"),
        ("resume", "let a frozen broker go on"),
        ("restart", "stop and start a broker; starts a dead one"),
        ("move-leader", "let another replica lead a partition"),
        ("recreate", "delete a topic and create it again, empty"),
        ("trim", "delete the oldest records of a partition"),
        ("relay", "stand between kferry and brokers, and fail when told to"),
    ):
        path = f"kferry.cli.sandbox_break:{name.replace('-', '_')}"
        faults.command(path, name=name, help=help_)
    return faults


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command line and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run a command line; every error becomes a shown error and an exit code."""
    app = build()
    tokens = arrange(argv, groups=_WITH_SUBCOMMANDS)
    try:
        tokens = understood(tokens)
        result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        show_error(UsageError(str(error), hint=f"kferry {_command(tokens)}--help"))
        return ExitCode.USAGE
    except KferryError as error:
        show_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        say("stopped; nothing was left half done")
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output went away, as `| head` does. Nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 the last line of defence: a bug is shown as one
        show_error(_bug(error))
        return ExitCode.FAILED
    return int(result) if isinstance(result, int) else ExitCode.DONE


def _bug(error: Exception) -> KferryError:
    trace = "".join(traceback.format_exception(error))
    return KferryError(
        "kferry met something it does not understand, which is a bug of its own",
        trace,
        changed="What was changed before this cannot be told.",
        hint="please report it with the lines above and what `kferry --version` says",
    )


def _command(tokens: Sequence[str]) -> str:
    return "".join(f"{token} " for token in tokens[:1] if not token.startswith("-"))
