"""Backtests of hedged leveraged-ETF sleeves inside a real margin account.

The names below load on first use, so that ``import levsleeve`` costs nothing.

::

    import levsleeve

    result = levsleeve.run("backtests/quickstart.toml")
    result.table()
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from levsleeve.api import run, run_many
    from levsleeve.backtests.broker import MarginBroker
    from levsleeve.backtests.commission_info import FundCommInfo, OptionCommInfo
    from levsleeve.backtests.feeds import FundData, slot_feed
    from levsleeve.backtests.result import SleeveResult
    from levsleeve.backtests.sleeve_strategy import SleeveStrategy
    from levsleeve.backtests.study_result import StudyResult
    from levsleeve.errors import (
        AccountError,
        DataError,
        LedgerError,
        LevsleeveError,
        ParityError,
        ScheduleError,
        StudyError,
    )
    from levsleeve.instruments.fund import Fund, parse_fund
    from levsleeve.instruments.option import OptionContract
    from levsleeve.strategies.allocation import InverseVolatility, Rotation
    from levsleeve.strategies.exits import Exits
    from levsleeve.strategies.limits import Caps, Reserve
    from levsleeve.strategies.sizing_rules import (
        Cppi,
        FixedFraction,
        GrossmanZhou,
        Kelly,
        MarginUtilization,
        Momentum,
        MostCautious,
        Product,
        Tipp,
        Trend,
        VolatilityFilter,
        VolatilityLadder,
        VolatilityManaged,
        VolatilityTarget,
    )
    from levsleeve.strategies.sleeve import Holding, InverseLayer, ProtectivePut, Sleeve
    from levsleeve.strategies.stop_flight import StopFlight
    from levsleeve.what_if.status import MarginStatus, margin_status

_HOMES = {
    "AccountError": "levsleeve.errors",
    "Caps": "levsleeve.strategies.limits",
    "Cppi": "levsleeve.strategies.sizing_rules",
    "DataError": "levsleeve.errors",
    "Exits": "levsleeve.strategies.exits",
    "FixedFraction": "levsleeve.strategies.sizing_rules",
    "Fund": "levsleeve.instruments.fund",
    "FundCommInfo": "levsleeve.backtests.commission_info",
    "FundData": "levsleeve.backtests.feeds",
    "GrossmanZhou": "levsleeve.strategies.sizing_rules",
    "Holding": "levsleeve.strategies.sleeve",
    "InverseLayer": "levsleeve.strategies.sleeve",
    "InverseVolatility": "levsleeve.strategies.allocation",
    "Kelly": "levsleeve.strategies.sizing_rules",
    "LedgerError": "levsleeve.errors",
    "LevsleeveError": "levsleeve.errors",
    "MarginBroker": "levsleeve.backtests.broker",
    "MarginStatus": "levsleeve.what_if.status",
    "MarginUtilization": "levsleeve.strategies.sizing_rules",
    "Momentum": "levsleeve.strategies.sizing_rules",
    "MostCautious": "levsleeve.strategies.sizing_rules",
    "OptionCommInfo": "levsleeve.backtests.commission_info",
    "OptionContract": "levsleeve.instruments.option",
    "ParityError": "levsleeve.errors",
    "Product": "levsleeve.strategies.sizing_rules",
    "ProtectivePut": "levsleeve.strategies.sleeve",
    "Reserve": "levsleeve.strategies.limits",
    "Rotation": "levsleeve.strategies.allocation",
    "ScheduleError": "levsleeve.errors",
    "Sleeve": "levsleeve.strategies.sleeve",
    "SleeveResult": "levsleeve.backtests.result",
    "SleeveStrategy": "levsleeve.backtests.sleeve_strategy",
    "StopFlight": "levsleeve.strategies.stop_flight",
    "StudyError": "levsleeve.errors",
    "StudyResult": "levsleeve.backtests.study_result",
    "Tipp": "levsleeve.strategies.sizing_rules",
    "Trend": "levsleeve.strategies.sizing_rules",
    "VolatilityFilter": "levsleeve.strategies.sizing_rules",
    "VolatilityLadder": "levsleeve.strategies.sizing_rules",
    "VolatilityManaged": "levsleeve.strategies.sizing_rules",
    "VolatilityTarget": "levsleeve.strategies.sizing_rules",
    "margin_status": "levsleeve.what_if.status",
    "parse_fund": "levsleeve.instruments.fund",
    "run": "levsleeve.api",
    "run_many": "levsleeve.api",
    "slot_feed": "levsleeve.backtests.feeds",
}

__all__ = [
    "AccountError",
    "Caps",
    "Cppi",
    "DataError",
    "Exits",
    "FixedFraction",
    "Fund",
    "FundCommInfo",
    "FundData",
    "GrossmanZhou",
    "Holding",
    "InverseLayer",
    "InverseVolatility",
    "Kelly",
    "LedgerError",
    "LevsleeveError",
    "MarginBroker",
    "MarginStatus",
    "MarginUtilization",
    "Momentum",
    "MostCautious",
    "OptionCommInfo",
    "OptionContract",
    "ParityError",
    "Product",
    "ProtectivePut",
    "Reserve",
    "Rotation",
    "ScheduleError",
    "Sleeve",
    "SleeveResult",
    "SleeveStrategy",
    "StopFlight",
    "StudyError",
    "StudyResult",
    "Tipp",
    "Trend",
    "VolatilityFilter",
    "VolatilityLadder",
    "VolatilityManaged",
    "VolatilityTarget",
    "margin_status",
    "parse_fund",
    "run",
    "run_many",
    "slot_feed",
]


def __dir__() -> list[str]:
    """The public names, whether they have been imported yet or not."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'levsleeve' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
