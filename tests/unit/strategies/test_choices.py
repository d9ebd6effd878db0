"""What the tables of the vocabulary refuse, in words."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from levsleeve.errors import StudyError
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.choices import Choice
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
from levsleeve.strategies.stop_flight import StopFlight

LADDER = "a ladder that tightens from cut_to and warn over derisk to flatten is right"
RULES = (
    "'fixed_fraction', 'vol_target', 'vol_managed', 'kelly', 'cppi', 'tipp', 'grossman_zhou', "
    "'margin_utilization', 'trend', 'momentum', 'vol_filter', 'vol_ladder', 'product', "
    "'most_cautious'"
)
MOVE = 'a fraction such as 0.1, or "history", is right'
ONE = Trend()


@pytest.mark.parametrize(
    ("table", "keys", "message"),
    [
        (FixedFraction, {"fraction": -1.0}, "fraction: -1.0; a number of at least 0 is right"),
        (FixedFraction, {"fraction": "half"}, "fraction: 'half'; a number is right"),
        (FixedFraction, {"part": 1.0}, "part: unknown key; known are rule, fraction"),
        (FixedFraction, {"rule": "kelly"}, "rule: 'kelly'; 'fixed_fraction' is right"),
        (VolatilityTarget, {"target_vol": 0.0}, "target_vol: 0.0; a number above 0 is right"),
        (VolatilityTarget, {"target_vol": math.nan}, "target_vol: nan; a finite number is right"),
        (
            VolatilityTarget,
            {"target": 0.1},
            "target: unknown key; did you mean target_vol?",
        ),
        (VolatilityTarget, {"window": 0}, "window: 0; a number of at least 1 is right"),
        (VolatilityTarget, {"window": 5041}, "window: 5041; a number of at most 5040 is right"),
        (VolatilityTarget, {"window": 2.5}, "window: 2.5; a whole number is right"),
        (VolatilityTarget, {"decay": 1.0}, "decay: 1.0; a number below 1 is right"),
        (VolatilityTarget, {"of": "funds"}, "of: 'funds'; 'benchmark' or 'holdings' is right"),
        (VolatilityManaged, {"mean_scale": 0.0}, "mean_scale: 0.0; a number above 0 is right"),
        (Kelly, {"kelly_fraction": 0.0}, "kelly_fraction: 0.0; a number above 0 is right"),
        (
            Kelly,
            {"min_window": 800},
            "min_window: 800 with a window of 756; from 2 up to the window is right",
        ),
        (
            Kelly,
            {"min_window": 1},
            "min_window: 1 with a window of 756; from 2 up to the window is right",
        ),
        (Cppi, {"floor": 1.0}, "floor: 1.0; a number below 1 is right"),
        (Cppi, {"multiplier": 0.0}, "multiplier: 0.0; a number above 0 is right"),
        (Tipp, {"floor_frac": -0.1}, "floor_frac: -0.1; a number of at least 0 is right"),
        (GrossmanZhou, {"alpha": 1.0}, "alpha: 1.0; a number below 1 is right"),
        (MarginUtilization, {"target": 1.1}, "target: 1.1; a number of at most 1 is right"),
        (Trend, {"enter": 1.0}, "enter: 1.0; a number below 1 is right"),
        (Momentum, {"skip": -1}, "skip: -1; a number of at least 0 is right"),
        (
            VolatilityFilter,
            {"reentry": 0.3},
            "reentry: 0.3 is above threshold 0.2; at most the threshold is right",
        ),
        (
            VolatilityLadder,
            {"thresholds": ()},
            "thresholds: none is given; one or more are right",
        ),
        (
            VolatilityLadder,
            {"thresholds": (0.2, 0.1, 0.3)},
            "thresholds: [0.2, 0.1, 0.3] do not rise; rising numbers are right",
        ),
        (
            VolatilityLadder,
            {"thresholds": (0.1, 0.1, 0.3)},
            "thresholds: [0.1, 0.1, 0.3] do not rise; rising numbers are right",
        ),
        (
            VolatilityLadder,
            {"thresholds": (0.2,)},
            "exposures: 4 for 1 thresholds; one more than thresholds is right",
        ),
        (
            VolatilityLadder,
            {"exposures": (1.0, 2.0, 1.0, 0.0)},
            "exposures: [1.0, 2.0, 1.0, 0.0] do not fall; falling numbers are right",
        ),
        (
            VolatilityLadder,
            {"exposures": (2.0, 1.0, 0.0, -1.0)},
            "exposures.3: -1.0; a number of at least 0 is right",
        ),
        (Product, {}, "rules: missing; this key is required"),
        (Product, {"rules": ()}, "rules: (); at least 2 tables is right"),
        (Product, {"rules": (ONE, 3)}, "rules.1: 3; a table is right"),
        (
            Product,
            {"rules": ({"rule": "trend", "window": 0}, ONE)},
            "rules.0.window: 0; a number of at least 1 is right",
        ),
        (
            Product,
            {"rules": (ONE, {"rule": "kelly", "min_window": 800})},
            "rules.1.min_window: 800 with a window of 756; from 2 up to the window is right",
        ),
        (
            Product,
            {"rules": ({"rule": "trendy"}, ONE)},
            f"rules.0.rule: 'trendy'; one of {RULES} is right",
        ),
        (
            MostCautious,
            {"rules": ({"window": 3}, ONE)},
            "rules.0.rule: missing; this key is required",
        ),
        (MostCautious, {"rules": (3, ONE)}, "rules.0: 3; a table is right"),
        (Caps, {"single_fund": 0.0}, "single_fund: 0.0; a number above 0 is right"),
        (Caps, {"delta": -1.0}, "delta: -1.0; a number above 0 is right"),
        (Caps, {"risk_share": 1.5}, "risk_share: 1.5; a number of at most 1 is right"),
        (Caps, {"risk_window": 4}, "risk_window: 4; a number of at least 5 is right"),
        (Caps, {"enforce": "weekly"}, "enforce: 'weekly'; 'decision' or 'daily' is right"),
        (Reserve, {"house_rate": 2.0}, "house_rate: 2.0; a number of at most 1.5 is right"),
        (Reserve, {"house_rate": 0.2}, "house_rate: 0.2; a number of at least 0.25 is right"),
        (Reserve, {"fall": "worst"}, f"fall: 'worst'; {MOVE}"),
        (Reserve, {"fall": 1.0}, f"fall: 1.0; {MOVE}"),
        (Reserve, {"rise": 0.0}, f"rise: 0.0; {MOVE}"),
        (Reserve, {"reset_sessions": 64}, "reset_sessions: 64; a number of at most 63 is right"),
        (Reserve, {"keep": 1.0}, "keep: 1.0; a number below 1 is right"),
        (StopFlight, {"derisk": 1.5}, "derisk: 1.5; a number of at most 1 is right"),
        (StopFlight, {"warn": 0.6, "derisk": 0.5}, f"warn: 0.6 is not below derisk 0.5; {LADDER}"),
        (
            StopFlight,
            {"derisk": 0.9, "flatten": 0.8},
            f"derisk: 0.9 is not below flatten 0.8; {LADDER}",
        ),
        (
            StopFlight,
            {"cut_to": 0.5, "derisk": 0.5},
            f"cut_to: 0.5 is not below derisk 0.5; {LADDER}",
        ),
        (
            StopFlight,
            {"cut_to": 0.9, "flatten": 0.8},
            f"cut_to: 0.9 is not below flatten 0.8; {LADDER}",
        ),
        (
            StopFlight,
            {"warn": 0.9, "flatten": 0.8},
            f"warn: 0.9 is not below flatten 0.8; {LADDER}",
        ),
        (StopFlight, {"fall": 1.0}, "fall: 1.0; a number below 1 is right"),
        (
            StopFlight,
            {"cool_off_sessions": -1},
            "cool_off_sessions: -1; a number of at least 0 is right",
        ),
        (StopFlight, {"check": "open"}, "check: 'open'; 'close' or 'intraday' is right"),
        (
            Exits,
            {},
            "none is named; one of max_drawdown, take_profit, max_days, filter, "
            "on_margin_call, max_house_rate is right",
        ),
        (Exits, {"max_drawdown": 30.0}, "max_drawdown: 30.0; a number of at most 1 is right"),
        (Exits, {"max_days": 0}, "max_days: 0; a number of at least 1 is right"),
        (
            Exits,
            {"filter": Kelly()},
            "filter.rule: 'kelly'; one of 'trend', 'momentum', 'vol_filter' is right",
        ),
        (
            Exits,
            {"filter": {"rule": "vol_filter", "threshold": 0.1, "reentry": 0.2}},
            "filter.reentry: 0.2 is above threshold 0.1; at most the threshold is right",
        ),
        (
            Exits,
            {"max_days": 3, "reentry": "later"},
            "reentry: 'later'; 'cool_off', 'rebalance' or 'never' is right",
        ),
        (Exits, {"on_margin_call": "yes"}, "on_margin_call: 'yes'; true or false is right"),
        (Rotation, {"hold": 0}, "hold: 0; a number of at least 1 is right"),
        (Rotation, {"absolute": 1}, "absolute: 1; true or false is right"),
        (InverseVolatility, {"window": True}, "window: True; a whole number is right"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused_by_its_key(
    table: Callable[..., Choice], keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError) as refused:
        table(**keys)
    name = table.__name__
    assert str(refused.value) == f"{name}: {message}"


def test_a_composition_may_be_given_lists_and_tables() -> None:
    tables: Any = [{"rule": "trend", "window": 50}, {"rule": "cppi"}]
    by_tables = Product(rules=tables)
    assert by_tables == Product(rules=(Trend(window=50), Cppi()))


def test_a_table_never_changes() -> None:
    with pytest.raises(Exception, match="Instance is frozen"):
        Trend().window = 3
