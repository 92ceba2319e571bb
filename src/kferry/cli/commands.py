"""The command tree: which commands there are, in the order of a migration.

Owns the first words and their help texts. Commands are imported when they are run: `--help` stays
instant.
"""

from cyclopts import App, Group

from kferry import __version__
from kferry.cli import families
from kferry.cli.families import LOOK, MOVE, PREPARE, PROVE, SWITCH, TRY

WITH_SUBCOMMANDS = frozenset(
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
"""The commands that have commands below them."""


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
        group=PREPARE,
        sort_key=1,
    )
    app.command(
        "kferry.cli.check:run",
        name="check",
        help="look at both clusters first: reachability, rights, space, limits\n\n"
        "Every advertised listener is tried from here, every right is asked for, and nothing is "
        "written to either side. Name one side only to look at that one. Exit codes: 0 fit, "
        "5 something forbids, 6 a cluster did not answer.",
        group=PREPARE,
        sort_key=2,
    )
    app.command(families.inspect())
    app.command(
        "kferry.cli.plan:run",
        name="plan",
        help="say what would be created and changed on the target, and what is left behind\n\n"
        "Topics with their settings, access rules, users and quotas of both sides are compared; "
        "nothing is written. Without --topic: every topic that is not internal. Exit codes: 0 "
        "done, 2 usage, 6 a cluster did not answer; with --detailed-exitcode 3 there is something "
        "to do, 5 only a decision is open.",
        group=PREPARE,
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
        group=PREPARE,
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
        group=MOVE,
        sort_key=1,
    )
    app.command(families.control())
    app.command(families.groups())
    app.command(families.offsets())
    app.command(families.messages())
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
        group=PROVE,
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
        group=SWITCH,
        sort_key=1,
    )
    app.command(
        "kferry.cli.cutover:roll_back",
        name="rollback",
        help="take a cutover back, the last step first\n\n"
        "Up to the point of no return: positions on the target become what they were, and "
        "applications go back to the source. Exit codes: 0 done, 2 nothing is under way, 5 a gate "
        "stayed shut or the point of no return is behind.",
        group=SWITCH,
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
        group=SWITCH,
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
        group=SWITCH,
        sort_key=4,
    )
    app.command(families.ledger())
    app.command(
        "kferry.cli.status:run",
        name="status",
        help="how far a migration is, from any machine\n\n"
        "It is read from the ledger on the target: topics, rates, lag, what limits the copy, what "
        "stopped; and where a cutover stands. Nothing is written.",
        group=LOOK,
        sort_key=1,
    )
    app.command(families.sandbox())
    app.command(
        "kferry.cli.demo:run",
        name="demo",
        help="the whole story on two clusters of its own, narrated\n\n"
        "Starts two Kafka clusters and applications that write and read on one of them; copies, "
        "is killed, goes on; moves the applications to the other with the mirror scheme; and lets "
        "their own journals tell what was lost or repeated. Takes about a minute and leaves "
        "nothing behind. With --json the last line holds the counts and `interruption_ms`.",
        group=TRY,
    )
    return app
