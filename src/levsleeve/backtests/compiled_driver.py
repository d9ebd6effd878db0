"""Runs of sleeves through the compiled driver: one with its whole ledger, or many summed up."""

import numpy as np

from levsleeve.backtests.account_table import FILLS
from levsleeve.backtests.kernel import Record, Ways, live
from levsleeve.backtests.ledger import LedgerBuilder, ledger_columns
from levsleeve.backtests.memory import no_memory
from levsleeve.backtests.plan import Plan
from levsleeve.backtests.planning import plan_of
from levsleeve.backtests.sleeve_market import Setting
from levsleeve.backtests.sleeve_run import SleeveRun
from levsleeve.backtests.state import EVENT_COUNT, EVENT_FIELDS, Account, new_account
from levsleeve.backtests.waiting import no_orders
from levsleeve.errors import StudyError
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.sleeve import Sleeve

NOTHING = np.zeros(0)
NO_ROWS = np.zeros((0, 0))
EVENTS_A_SESSION = 4
"""Room for so many is made at first; a run that has more begins anew with room for all."""


def run_compiled(setting: Setting, sleeve: Sleeve) -> SleeveRun:
    """Run one sleeve through the compiled driver and keep its whole ledger.

    Raises
    ------
    LedgerError
        If a row does not add up.
    StudyError
        If the sleeve has a sizing rule of one's own that sees the account.
    """
    refuse_asked(sleeve)
    market, n = setting.market, len(setting.market.sessions)
    plan, slots = plan_of(sleeve, market), sleeve.slots
    columns = len(ledger_columns(market.symbols, slots))
    out = Record(np.full((n, columns), np.nan), np.zeros(n), NOTHING, NOTHING)
    account, lived = _live(setting, plan, len(slots), out, EVENTS_A_SESSION * n)
    if account.money[EVENT_COUNT] > len(account.events):  # now it is known how many there are
        account, lived = _live(setting, plan, len(slots), out, int(account.money[EVENT_COUNT]))
    ledger = LedgerBuilder(market.sessions, market.symbols, slots, setting.account.cash_usd)
    ledger.take(out.rows[:lived])
    count = int(account.money[EVENT_COUNT])
    sessions = np.searchsorted(out.event_ends[:lived], np.arange(count), side="right")
    events = list(zip(sessions.tolist(), account.events[:count].copy(), strict=True))
    return SleeveRun(account, ledger.frame(), events)


def _live(
    setting: Setting, plan: Plan, n_slots: int, out: Record, room: int
) -> tuple[Account, int]:
    """The account after a run that keeps up to ``room`` events, and how many sessions it lived."""
    n_funds = len(setting.market.funds)
    account = new_account(setting.account.cash_usd, n_funds, n_slots)
    account = account._replace(events=np.zeros((room, EVENT_FIELDS)))
    orders, ways = no_orders(n_funds, n_slots), ways_of(setting, keeps=True)
    memory = no_memory(n_funds)
    lived = live(account, orders, memory, setting.market.tape, setting.terms, plan, ways, out)
    return account, lived


def refuse_asked(sleeve: Sleeve) -> None:
    """The kernel asks no function as it runs.

    Raises
    ------
    StudyError
        If the sleeve has a sizing rule of one's own that sees the account.
    """
    rule = sleeve.rule
    if isinstance(rule, OwnRule) and rule.reads_account:
        raise StudyError(
            f"sizing: {rule.name} sees the account, so that only Backtrader runs it; "
            "scale(history) is right"
        )


def ways_of(setting: Setting, *, keeps: bool) -> Ways:
    """How runs treat orders and sessions, as the compiled loop takes it."""
    table = setting.account
    switches = float(table.intraday_test), float(setting.cuts), float(keeps)
    return Ways(FILLS[table.fill], *switches)
