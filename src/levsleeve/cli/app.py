"""``levsleeve``: the commands, and how they end when something is wrong."""

import atexit
import gc
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from levsleeve.errors import LevsleeveError

T = TypeVar("T")
BAD_INPUT = 2
INTERRUPTED = 130

app = typer.Typer(
    name="levsleeve",
    help="Back tests of hedged leveraged-ETF sleeves inside a real margin account.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"levsleeve {version('levsleeve')}")
        raise typer.Exit


@app.callback()
def _common(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Back tests of hedged leveraged-ETF sleeves inside a real margin account."""


@app.command()
def run(
    path: Annotated[
        Path,
        typer.Argument(help="A study, a TOML file; or a strategy, a .py file.", metavar="FILE"),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write; backtests/out/NAME of the workspace by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    tearsheets: Annotated[bool, typer.Option(help="Write the QuantStats tear sheets.")] = True,
    driver: Annotated[
        str,
        typer.Option(help="backtrader; kernel (compiled); or both, which must agree in every bit."),
    ] = "backtrader",
    funds: Annotated[
        str | None, typer.Option(help="Of a strategy: its feeds in order, UPRO,SPXU.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="Of a strategy: first session.")] = None,
    end: Annotated[str | None, typer.Option(help="Of a strategy: last session.")] = None,
    cash: Annotated[
        float | None, typer.Option(help="Of a strategy: dollars to start with.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Of a strategy: the broker, by name or TOML file.")
    ] = None,
    rules_as_of: Annotated[
        str | None, typer.Option(help='Of a strategy: date of the margin rules, or "session".')
    ] = None,
    fill: Annotated[
        str | None,
        typer.Option(help="Of a strategy: next_close, next_open or same_close (looks ahead)."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Of a strategy: a parameter, name=value; repeatable."),
    ] = None,
) -> None:
    """Run a study, every sleeve through its margin account; or a Backtrader strategy alone.

    Prints the comparison and writes, for each sleeve, its ledger, events, figures and QuantStats
    tear sheet.
    """
    from levsleeve.cli.run import StrategyOptions, Ways, run_command

    options = StrategyOptions(
        funds=funds,
        start=start,
        end=end,
        cash=cash,
        profile=profile,
        rules_as_of=rules_as_of,
        fill=fill,
        set=tuple(set_ or ()),
    )
    ways = Ways(driver=driver, as_json=as_json, tearsheets=tearsheets)
    _guarded(lambda: run_command(path, out, options, ways))


@app.command()
def margin(
    account: Annotated[
        str, typer.Argument(help="The account snapshot, a JSON file; - reads standard input.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")] = False,
    policy: Annotated[
        Path | None,
        typer.Option(help="A study: hold the account to a sleeve's policy.", metavar="STUDY.toml"),
    ] = None,
    sleeve: Annotated[
        str | None, typer.Option(help="With --policy: which sleeve, where there are several.")
    ] = None,
) -> None:
    """What an account must keep, and what would call it.

    Equity, margin, the rule behind each position, the one-day index move to a margin call, what
    cures a call, and the same under house rates of 60, 80 and 100 % and once the options expire.

    With --policy also the rung of stop-flight, caps, reserve, the next expiry and what to trade;
    the exit code is then 0 for ok, 10 for warn, 11 for act and 12 for a margin call.
    """
    from levsleeve.cli.margin import margin_command

    code = _guarded(lambda: margin_command(account, as_json=as_json, policy=policy, sleeve=sleeve))
    if code:
        raise typer.Exit(code)


def _guarded(command: Callable[[], T]) -> T:
    """What a command returns; bad input ends with one message and code 2, an interruption 130."""
    try:
        return command()
    except LevsleeveError as error:
        typer.echo(f"levsleeve: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except KeyboardInterrupt:
        typer.echo("levsleeve: interrupted; nothing was written", err=True)
        raise typer.Exit(INTERRUPTED) from None


def collect_rarely() -> None:
    """Look for garbage seldom: what a command imports is to stay, and its process ends soon.

    Looking through a million lasting objects, again at the end, takes half a second of a run.
    """
    gc.set_threshold(200_000, 20, 20)
    atexit.register(gc.freeze)


def main() -> None:
    """Run the command line."""
    collect_rarely()
    app(prog_name="levsleeve", args=sys.argv[1:])
