"""A margin status as plain dicts, lists and numbers: what ``--json`` prints."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from levsleeve.margin.account import maintenance_under_relief
from levsleeve.margin.schedule import rule_source

if TYPE_CHECKING:
    from levsleeve.what_if.status import MarginStatus


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
