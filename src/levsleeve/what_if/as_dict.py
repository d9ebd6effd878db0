"""A margin status as plain dicts, lists and numbers: what ``--json`` prints."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from levsleeve.margin.account import maintenance_under_relief
from levsleeve.margin.day_trading import day_trading_buying_power, day_trading_rules
from levsleeve.margin.requirement import (
    end_of_day_initial_per_share,
    long_maintenance_rate,
    maintenance_per_share,
    special_memorandum_account,
)
from levsleeve.margin.schedule import rule_source
from levsleeve.what_if.orders import most_shares, most_value, order_accepted

if TYPE_CHECKING:
    from levsleeve.what_if.account import AccountAtHand
    from levsleeve.what_if.status import MarginStatus, Outlook
    from levsleeve.what_if.triggers import Trigger


def status_dict(status: "MarginStatus") -> dict[str, Any]:
    """Every number of a status under the names of the account snapshot's answers."""
    account, snapshot = status.account, status.snapshot
    on = account.rulebook.rules_as_of or account.on
    return {
        "schema": 1,
        "date": account.on.isoformat(),
        "rules_as_of": on.isoformat(),
        "profile": snapshot.profile,
        "profile_source": f"{account.rulebook.profile.source} ({account.rulebook.profile.standing})",
        "rules": {kind: rule_source(on, kind) for kind in ("shares", "options", "portfolio")},
        "policy": account.rulebook.policy.model_dump(mode="json"),
        **_outlook(status.now),
        **_option_figures(account),
        **_only_holding(account),
        **_memorandum(status),
        "call_index_move": _asked_move(status),
        "call_index_move_repriced_down": _move(status.repriced[0]),
        "call_index_move_repriced_up": _move(status.repriced[1]),
        **_moved_fund(status),
        "call_prices": {
            symbol: _priced(account, symbol, trigger) for symbol, trigger in status.prices.items()
        },
        **_cut_fund(status),
        **_order(status),
        "positions": [asdict(line) for line in status.positions],
        "maintenance_with_relief_usd": float(
            maintenance_under_relief(account.positions, account.terms, 1.0)
        ),
        "maintenance_without_relief_usd": float(
            maintenance_under_relief(account.positions, account.terms, 0.0)
        ),
        "house_rates": {
            f"{rate:.2f}": _outlook(outlook) for rate, outlook in status.under_house.items()
        },
        "after_expiry": None if status.after_expiry is None else _outlook(status.after_expiry),
        "day_trading": _day_trading(account),
        "notes": list(status.notes),
    }
