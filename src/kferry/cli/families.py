"""Commands that have commands below them: each family's names and help texts.

Owns what stands below the first word, and the headings of `kferry --help`. Commands are imported
when they are run.
"""

from cyclopts import App, Group

PREPARE = Group("Prepare", sort_key=1)
MOVE = Group("Move", sort_key=2)
PROVE = Group("Prove", sort_key=3)
SWITCH = Group("Switch", sort_key=4)
LOOK = Group("Look", sort_key=5)
TRY = Group("Try", sort_key=6)


def control() -> App:
    """Build the commands that change a running copy."""
    control = App(
        name="control",
        help="change a running copy, from any machine\n\n"
        "What is asked for is written to the ledger on the target, and the process that copies "
        "hears of it within seconds. It holds for that process: one that is started later begins "
        "with its own --rate, and not paused.",
        group=MOVE,
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


def groups() -> App:
    """Build the commands about groups' positions."""
    groups = App(
        name="groups",
        help="where every group stands, and where it goes on, on the target",
        group=MOVE,
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


def ledger() -> App:
    """Build the commands that show a ledger."""
    ledger = App(
        name="ledger",
        help="what a migration remembers of itself, on the target",
        group=LOOK,
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


def offsets() -> App:
    """Build the commands about offsets."""
    offsets = App(
        name="offsets",
        help="offsets by place or time, and for applications that keep their own",
        group=MOVE,
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


def messages() -> App:
    """Build the commands about single records."""
    messages = App(
        name="messages",
        help="look at records on either side",
        group=PROVE,
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


def inspect() -> App:
    """Build the commands that show what is there."""
    inspect = App(
        name="inspect",
        help="what is really there, on either side or both",
        group=PREPARE,
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


def sandbox() -> App:
    """Build the commands for clusters to try things on."""
    sandbox = App(
        name="sandbox",
        help="two real Kafka clusters on this machine",
        group=TRY,
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
