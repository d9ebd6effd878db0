"""``levsleeve margin``: an account snapshot under the rulebook, as a page or as JSON."""

import json
import math
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from levsleeve.cli.policy_page import print_policy
from levsleeve.errors import StudyError
from levsleeve.margin.day_trading import day_trading_rules
from levsleeve.what_if.as_dict import status_dict
from levsleeve.what_if.reading import read_account, read_bytes
from levsleeve.what_if.snapshot import in_digits
from levsleeve.what_if.status import MarginStatus, Outlook, status_of
from levsleeve.what_if.triggers import Trigger

if TYPE_CHECKING:
    from levsleeve.monitoring.policy_status import PolicyStatus

PLAIN_WIDTH = 140
"""Columns where the output is not a terminal."""
STANDARD_INPUT = "-"


def margin_command(
    account: str, *, as_json: bool, policy: Path | None = None, sleeve: str | None = None
) -> int:
    """Read a snapshot from a file or standard input and print its status; returns the exit code.

    With a study as ``policy`` the account is shown under that of its ``sleeve``, and the exit code
    tells ok, warn, act and call apart.
    """
    if sleeve is not None and policy is None:
        raise StudyError(f"--sleeve {sleeve}: without --policy; the study it belongs to is right")
    waiting = Console(stderr=True, markup=False, quiet=not Console(stderr=True).is_terminal)
    with waiting.status("applying the rulebook (the first run compiles it)"):
        if account == STANDARD_INPUT:
            status = status_of(read_bytes(sys.stdin.buffer.read(), "standard input"))
        else:
            status = status_of(read_account(account))
        answer = status_dict(status)
        under = _under(policy, sleeve, status)
    if as_json:
        if under is not None:
            answer |= {"sleeve_policy": under.as_dict()}
        typer.echo(json.dumps(answer, indent=2, allow_nan=False))
    else:
        _print(status, answer, under)
    return 0 if under is None else under.exit_code


def _under(policy: Path | None, sleeve: str | None, status: MarginStatus) -> "PolicyStatus | None":
    """The account under a policy, if one is asked for: studies take a moment to import."""
    if policy is None:
        return None
    from levsleeve.cli.margin_policy import status_under

    return status_under(policy, sleeve, status)


def _print(status: MarginStatus, answer: dict[str, Any], under: "PolicyStatus | None") -> None:
    """The page that a person reads."""
    if isinstance(sys.stdout, TextIOWrapper):  # a name that this output cannot encode is escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    width = None if Console().is_terminal else PLAIN_WIDTH
    console = Console(width=width, markup=False, emoji=False)
    console.print(_headline(status), style="bold", highlight=False)
    for table in (_figures(status, answer), _positions(status), _outlooks(status), _cures(status)):
        if table is not None:
            console.print(table)
    for line in _lines(status, answer):
        console.print(line, highlight=False)
    if under is not None:
        print_policy(console, under)
    for note in (*status.notes, *(() if under is None else under.notes)):
        console.print(note, style="dim", highlight=False)


def _headline(status: MarginStatus) -> str:
    """Date, broker and the verdict in one line."""
    snapshot, figures = status.snapshot, status.figures
    if status.now.called:
        verdict = f"MARGIN CALL: {_dollars(figures.deficiency_usd)} short"
    else:
        verdict = f"excess liquidity {_dollars(figures.excess_liquidity_usd)}"
    frozen = "" if snapshot.rules_on == snapshot.date_ else f", rules of {snapshot.rules_on}"
    return f"{snapshot.date_}, profile {snapshot.profile}{frozen}: {verdict}"


def _figures(status: MarginStatus, answer: dict[str, Any]) -> Table:
    """The headline quantities, two to a row."""
    figures = status.figures
    rows = [
        ("net liquidation", _dollars(figures.net_liquidation_usd)),
        ("equity with loan value", _dollars(figures.equity_with_loan_value_usd)),
        ("long market value", _dollars(figures.long_market_value_usd)),
        ("short market value", _dollars(figures.short_market_value_usd)),
        ("maintenance margin", _dollars(figures.maintenance_margin_usd)),
        ("initial margin", _dollars(figures.initial_margin_usd)),
        ("excess liquidity", _dollars(figures.excess_liquidity_usd)),
        ("available funds", _dollars(figures.available_funds_usd)),
        (
            "utilization (maintenance / equity with loan value)",
            _ratio(figures.utilization, figures.maintenance_margin_usd),
        ),
        (
            "cushion (excess liquidity / net liquidation)",
            _ratio(figures.cushion, figures.excess_liquidity_usd),
        ),
    ]
    if "special_memorandum_account_usd" in answer:
        memorandum = _dollars(answer["special_memorandum_account_usd"])
        rows.append(("special memorandum account", memorandum))
    table = Table(box=None, show_header=False, pad_edge=False)
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for left in range(0, len(rows), 2):
        pair = rows[left : left + 2]
        table.add_row(*(text for row in pair for text in row))
    return table


def _positions(status: MarginStatus) -> Table | None:
    """A line a position: its requirement, and the rule and source that set it."""
    if not status.positions:
        return None
    table = Table(title="positions", title_justify="left", pad_edge=False)
    for name in ("position", "value", "requirement", "rate"):
        table.add_column(name, justify="left" if name == "position" else "right")
    table.add_column("rule and source", ratio=1)
    for line in status.positions:
        table.add_row(
            line.position,
            _dollars(line.market_value_usd),
            _dollars(line.requirement_usd),
            "-" if line.rate is None else f"{line.rate:.1%}",
            f"{line.rule}\n{line.source}",
        )
    return table


def _named_outlooks(status: MarginStatus) -> dict[str, Outlook]:
    """The account under each assumption, by the words for it."""
    outlooks = {"now": status.now}
    outlooks |= {f"house rate {rate:.0%}": o for rate, o in status.under_house.items()}
    if status.after_expiry is not None:
        outlooks["after the options expire"] = status.after_expiry
    return outlooks


def _outlooks(status: MarginStatus) -> Table:
    """The account now, under house rates, and once its options have expired."""
    table = Table(
        title="the one-day index move that calls it, every fund moving by its multiple",
        title_justify="left",
        pad_edge=False,
    )
    for name in (
        "the account", "maintenance", "excess liquidity", "utilization", "down", "up",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "the account" else "right")
    for name, outlook in _named_outlooks(status).items():
        figures = outlook.figures
        table.add_row(
            name,
            _dollars(figures.maintenance_margin_usd),
            _dollars(figures.excess_liquidity_usd),
            _percent(figures.utilization),
            _move(outlook.down, called=outlook.called),
            _move(outlook.up, called=outlook.called),
        )
        if outlook is status.now and status.account.options:
            down, up = status.repriced
            table.add_row(
                "  options repriced (modelled)", "", "", "",
                _move(down, called=outlook.called), _move(up, called=outlook.called),
            )  # fmt: skip
    return table


def _cures(status: MarginStatus) -> Table | None:
    """What trading one fund alone would take to end a call, now and under each assumption."""
    called = {name: o for name, o in _named_outlooks(status).items() if o.called}
    if not called or not status.now.cure:
        return None
    title = "shares to trade towards zero to cure a call: one fund alone, without costs"
    table = Table(title=title, title_justify="left", pad_edge=False)
    table.add_column("the account")
    for symbol in status.now.cure:
        table.add_column(symbol, justify="right")
    for name, outlook in called.items():
        cells = [
            in_digits(cure.shares_to_trade)
            if cure.cures
            else f"all {in_digits(cure.shares_to_trade)} do not"
            for cure in outlook.cure.values()
        ]
        table.add_row(name, *cells)
    return table


def _lines(status: MarginStatus, answer: dict[str, Any]) -> list[str]:
    """Sentences below the tables: call prices, relief, orders, day trading."""
    lines = [_day_trading(status)]
    for symbol, trigger in status.prices.items():
        if trigger.move is not None:
            price = float(status.account.positions.marks[status.account.place(symbol)])
            verb = "ends" if status.now.called else "begins"
            lines.append(
                f"{symbol} alone: a call {verb} at {price * (1 + trigger.move):,.4f} dollars "
                f"({trigger.move:+.2%})"
            )
    if status.account.options:
        lines.append(
            f"maintenance without relief for hedged shares "
            f"{_dollars(answer['maintenance_without_relief_usd'])}, with FINRA's "
            f"{_dollars(answer['maintenance_with_relief_usd'])}; hedge_relief in force: "
            f"{status.account.rulebook.policy.hedge_relief}"
        )
    if "order_accepted" in answer:
        lines.append(f"the order is {'accepted' if answer['order_accepted'] else 'refused'}")
    if "max_shares" in answer:
        lines.append(
            f"largest opening order: {in_digits(answer['max_shares'])} whole shares, or "
            f"{_dollars(answer['max_market_value_usd'])} of market value"
        )
    return lines


def _day_trading(status: MarginStatus) -> str:
    """The day-trading rule of the date in one sentence."""
    rules = day_trading_rules(status.account.rules_on)
    if rules.regime == "pattern":
        words = (
            f"{rules.pattern_day_trades} day trades in {rules.pattern_sessions} business days ask "
            f"{_dollars(rules.pattern_minimum_equity_usd)} of equity"
        )
    else:
        words = (
            "maintenance holds within the day; a deficit is to be cured in "
            f"{rules.cure_sessions} business days"
        )
    return f"day trading: {words}"


def _dollars(value: float) -> str:
    """Dollars with their sign in front."""
    cents = round(value, 2)
    return f"-${-cents:,.2f}" if cents < 0.0 else f"${abs(cents):,.2f}"


def _percent(value: float) -> str:
    """A fraction in percent; infinite where equity is gone."""
    return "no equity" if value in (float("inf"), float("-inf")) else f"{value:.1%}"


def _ratio(value: float, part_usd: float) -> str:
    """A ratio of an account, a dash where there is nothing to set against equity."""
    return "-" if math.isinf(value) and part_usd == 0.0 else _percent(value)


def _move(trigger: Trigger, *, called: bool) -> str:
    """A move in percent, and whether it calls or cures."""
    if trigger.move is None:
        return "-"
    return f"{trigger.move:+.2%}{' cures' if called and trigger.move else ''}"
