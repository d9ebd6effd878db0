import math
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from levsleeve.errors import ScheduleError
from levsleeve.margin import schedule
from levsleeve.margin.policy import Policy
from levsleeve.margin.schedule import MarginRules, margin_rules, rule_source, rule_sources
from levsleeve.margin.table_reader import table

ON = date(2019, 6, 3)
# FINRA Rule 4210(b)(4), (c), (e)(1), (f)(2), (g); 12 CFR 220.12; the switches at their defaults.
OLDEST = MarginRules(
    long_base=0.25,
    short_base=0.30,
    scales_with_multiple=0.0,
    initial=0.50,
    legacy_initial=0.50,
    short_floor_usd=5.00,
    short_low_floor_usd=2.50,
    boxed_rate=0.05,
    minimum_equity_usd=2_000.0,
    option_scales_with_multiple=0.0,
    broad_base=0.15,
    narrow_base=0.20,
    option_minimum=0.10,
    hedge_strike_rate=0.10,
    collar_strike_rate=0.25,
    loan_rate=0.25,
    high_cap_down=0.08,
    high_cap_up=0.06,
    broad_move=0.10,
    narrow_move=0.15,
    portfolio_minimum_equity_usd=100_000.0,
    loan_horizon=0.0,
    short_floor_scaled=0.0,
    order_initial_broker=0.0,
    legacy_end_of_day=0.0,
    hedge_relief=0.0,
    option_loan_value=0.0,
    option_minimum_scaled=1.0,
    collar_rate_scaled=1.0,
    portfolio_mode=0.0,
    cash_account=0.0,
    flat_rate=math.nan,
    buffer_rate=0.0,
    free_rate=0.0,
    order_fee_usd=0.0,
)


def same(rules: np.ndarray[Any, Any], expected: MarginRules) -> bool:
    return np.array_equal(rules, np.array(expected), equal_nan=True)


@pytest.mark.parametrize(
    ("on", "horizon", "shares", "options"),
    [
        # Regulatory Notice 09-53 scales shares, 09-65 written options five months later.
        (date(1990, 1, 1), date(1990, 10, 1), 0.0, 0.0),
        (date(2009, 11, 30), date(2010, 8, 30), 0.0, 0.0),
        (date(2009, 12, 1), date(2010, 9, 1), 1.0, 0.0),
        (date(2010, 4, 29), date(2011, 1, 29), 1.0, 0.0),
        (date(2010, 4, 30), date(2011, 1, 30), 1.0, 1.0),
        (date(2026, 5, 1), date(2027, 2, 1), 1.0, 1.0),
    ],
)
def test_the_rules_of_later_days_differ_from_the_oldest_in_the_scaling_alone(
    on: date, horizon: date, shares: float, options: float
) -> None:
    expected = OLDEST._replace(
        loan_horizon=float(horizon.toordinal()),
        scales_with_multiple=shares,
        option_scales_with_multiple=options,
    )
    assert same(margin_rules(on), expected)


def test_the_names_of_a_rows_places_are_the_fields_of_the_rules_in_order() -> None:
    places = {name: getattr(schedule, name.upper()) for name in MarginRules._fields}
    assert places == {name: place for place, name in enumerate(MarginRules._fields)}
    assert len(margin_rules(ON)) == len(MarginRules._fields)


@pytest.mark.parametrize(
    ("switch", "changes"),
    [
        ({"short_floor": "scaled"}, {"short_floor_scaled": 1.0}),
        ({"order_initial": "broker"}, {"order_initial_broker": 1.0}),
        ({"end_of_day_initial": "ibkr_legacy"}, {"legacy_end_of_day": 1.0}),
        ({"hedge_relief": "finra"}, {"hedge_relief": 1.0}),
        ({"option_loan_value": "finra"}, {"option_loan_value": 1.0}),
        ({"option_minimum": "unscaled"}, {"option_minimum_scaled": 0.0}),
        ({"collar_rate": "unscaled"}, {"collar_rate_scaled": 0.0}),
        ({"margin_mode": "portfolio"}, {"portfolio_mode": 1.0}),
        ({"flat_rate": 0.6}, {"flat_rate": 0.6}),
        (
            {"minimum_equity_usd": 0.0},
            {"minimum_equity_usd": 0.0, "portfolio_minimum_equity_usd": 0.0},
        ),
        ({"buffer_rate": 0.1}, {"buffer_rate": 0.1}),
        ({"free_rate": 0.2}, {"free_rate": 0.2}),
        ({"order_fee_usd": 4.95}, {"order_fee_usd": 4.95}),
        ({"house": {"kind": "rate", "long_rate": 1.0}}, {}),  # a row of its own
    ],
)
def test_a_switch_changes_its_own_place_and_no_other(
    switch: dict[str, Any], changes: dict[str, float]
) -> None:
    before = MarginRules(*margin_rules(ON))
    assert same(margin_rules(ON, Policy.model_validate(switch)), before._replace(**changes))


def test_rules_are_floats_for_the_compiler() -> None:
    assert margin_rules(ON).dtype == np.float64


def test_rules_frozen_at_a_date_keep_the_horizon_of_the_session() -> None:
    frozen = margin_rules(date(2010, 4, 30), session=date(2019, 6, 3))
    assert MarginRules(*frozen).loan_horizon == date(2020, 3, 3).toordinal()
    assert MarginRules(*frozen).option_scales_with_multiple == 1.0


@pytest.mark.parametrize(
    ("on", "kind", "source"),
    [
        (
            date(2009, 11, 30),
            "shares",
            "NYSE 431 and NASD 2520, now FINRA 4210(b)(4), (c); 12 CFR 220.12 "
            "(secondary; start of the table assumed)",
        ),
        (
            date(2009, 12, 1),
            "shares",
            "FINRA Regulatory Notice 09-53: base rates times the fund's multiple, "
            "at most 100 % of value (secondary)",
        ),
        (
            date(2010, 4, 29),
            "options",
            "FINRA 4210(f)(2) and its predecessors; Cboe strategy-based margin "
            "(secondary; start of the table assumed)",
        ),
        (
            date(2010, 4, 30),
            "options",
            "FINRA Regulatory Notice 09-65: uncovered options on leveraged funds scale as the "
            "funds do (confirmed; whether the 10 % minimum and the collar's 25 % scale is open, "
            "see the switches)",
        ),
        (
            date(2019, 6, 3),
            "portfolio",
            "FINRA 4210(g); IBKR: the range of a leveraged fund grows by its multiple; coarse, no "
            "offsets (confirmed for the broad classes, secondary for 15 %; applied to any date, "
            "assumed)",
        ),
    ],
)
def test_a_requirement_says_where_it_comes_from_and_how_well_it_is_known(
    on: date, kind: str, source: str
) -> None:
    assert rule_source(on, kind) == source


def test_the_sources_of_a_span_are_those_in_force_on_any_of_its_days() -> None:
    def begun(first: date, last: date) -> list[date]:
        return [since for since, _ in rule_sources(first, last)]

    assert begun(date(2008, 1, 2), date(2009, 11, 30)) == [date(1990, 1, 1)]
    assert begun(date(2008, 1, 2), date(2009, 12, 1)) == [date(1990, 1, 1), date(2009, 12, 1)]
    assert begun(date(2009, 12, 1), date(2012, 1, 3)) == [date(2009, 12, 1)]
    assert rule_sources(date(2010, 1, 4), date(2012, 1, 3)) == [
        (date(2009, 12, 1), rule_source(date(2010, 1, 4)))
    ]


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        (margin_rules, "the requirement on shares"),
        (rule_source, "the requirement on shares"),
        (lambda on: rule_source(on, "options"), "the requirement on options"),
        (lambda on: rule_source(on, "portfolio"), "portfolio margin"),
    ],
)
def test_a_day_before_the_table_is_refused_with_the_start_of_the_table(
    asked: Callable[[date], object], subject: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        asked(date(1989, 12, 31))
    assert str(refused.value) == (
        f"{subject} has no entry on 1989-12-31; the table starts 1990-01-01"
    )


@pytest.mark.parametrize("kind", ["shares", "options", "portfolio", "day_trading"])
def test_the_dated_requirements_ascend_and_state_their_source_and_standing(kind: str) -> None:
    entries = table("requirements")[kind]
    days = [entry["effective"] for entry in entries]
    assert days == sorted(set(days))
    for entry in entries:
        assert entry["source"]
        assert entry["standing"]
