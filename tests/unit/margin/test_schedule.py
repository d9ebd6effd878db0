import math
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files

import pytest

from levsleeve.errors import ScheduleError
from levsleeve.margin.charges import (
    BorrowRates,
    CommissionPlan,
    borrow_rates,
    commission_plan,
    financing_plan,
    sale_fees,
)
from levsleeve.margin.schedule import ShareRules, share_rule_source, share_rules

DAY = timedelta(days=1)


def test_the_rules_of_2009_differ_from_the_earlier_ones_in_the_scaling_alone() -> None:
    # FINRA Rule 4210(b)(4), (c); 12 CFR 220.12; FINRA Regulatory Notice 09-53.
    before = ShareRules(
        long_base=0.25,
        short_base=0.30,
        scales_with_multiple=0.0,
        initial=0.50,
        short_floor_usd=5.00,
        short_low_floor_usd=2.50,
        minimum_equity_usd=2_000.0,
    )
    assert share_rules(date(1990, 1, 1)) == before
    assert share_rules(date(2009, 11, 30)) == before
    assert share_rules(date(2009, 12, 1)) == before._replace(scales_with_multiple=1.0)
    assert share_rules(date(2026, 5, 1)) == before._replace(scales_with_multiple=1.0)


def test_every_field_of_the_rules_is_a_float_for_the_compiler() -> None:
    assert {type(value) for value in share_rules(date(2020, 1, 2))} == {float}
    assert {type(value) for value in sale_fees(date(2020, 1, 2))} == {float}
    assert {type(value) for value in commission_plan("ibkr_fixed")} == {float}
    assert {type(value) for value in commission_plan("none")} == {float}


@pytest.mark.parametrize(
    ("on", "source"),
    [
        (
            date(2009, 11, 30),
            "NYSE 431 and NASD 2520, now FINRA 4210(b)(4), (c); 12 CFR 220.12 "
            "(secondary; start of the table assumed)",
        ),
        (
            date(2009, 12, 1),
            "FINRA Regulatory Notice 09-53: base rates times the fund's multiple, "
            "at most 100 % of value (secondary)",
        ),
    ],
)
def test_a_requirement_says_where_it_comes_from_and_how_well_it_is_known(
    on: date, source: str
) -> None:
    assert share_rule_source(on) == source


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        (share_rules, "the requirement on shares"),
        (share_rule_source, "the requirement on shares"),
        (sale_fees, "the FINRA trading activity fee"),
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


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (commission_plan, "gratis: no commission plan of that name; known are ibkr_fixed, none"),
        (financing_plan, "gratis: no financing plan of that name; known are ibkr"),
    ],
)
def test_a_plan_that_is_unknown_is_refused_with_those_that_are(
    asked: Callable[[str], object], message: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        asked("gratis")
    assert str(refused.value) == message


def test_the_placeholder_borrow_fees_are_not_mistaken_for_a_financing_plan() -> None:
    with pytest.raises(ScheduleError) as refused:
        financing_plan("borrow")
    assert str(refused.value) == "borrow: no financing plan of that name; known are ibkr"
    assert borrow_rates() == BorrowRates(bull_rate=0.01, inverse_rate=0.04)


@pytest.mark.parametrize(
    ("first_day", "dollars_per_million", "before"),
    [
        # SEC fee rate advisories, by trade date.
        (date(2009, 4, 10), 25.70, 25.70),
        (date(2010, 1, 15), 12.70, 25.70),
        (date(2010, 4, 1), 16.90, 12.70),
        (date(2011, 1, 21), 19.20, 16.90),
        (date(2012, 2, 21), 18.00, 19.20),
        (date(2012, 4, 1), 22.40, 18.00),
        (date(2013, 5, 25), 17.40, 22.40),
        (date(2014, 3, 18), 22.10, 17.40),
        (date(2015, 2, 14), 18.40, 22.10),
        (date(2016, 2, 16), 21.80, 18.40),
        (date(2017, 7, 4), 23.10, 21.80),
        (date(2018, 5, 22), 13.00, 23.10),
        (date(2019, 4, 16), 20.70, 13.00),
        (date(2020, 2, 18), 22.10, 20.70),
        (date(2021, 2, 25), 5.10, 22.10),
        (date(2022, 5, 14), 22.90, 5.10),
        (date(2023, 2, 27), 8.00, 22.90),
        (date(2024, 5, 22), 27.80, 8.00),
        (date(2025, 5, 14), 0.00, 27.80),
        (date(2026, 4, 4), 20.60, 0.00),
    ],
)
def test_the_section_31_fee_changes_on_its_day_and_not_before(
    first_day: date, dollars_per_million: float, before: float
) -> None:
    assert sale_fees(first_day).section_31_rate * 1e6 == pytest.approx(dollars_per_million)
    assert sale_fees(first_day - DAY).section_31_rate * 1e6 == pytest.approx(before)


@pytest.mark.parametrize(
    ("first_day", "per_share", "cap", "before"),
    [
        # FINRA Regulatory Notices 11-27 and 12-06; SR-FINRA-2024-019.
        (date(2011, 7, 1), 0.000090, 4.50, (0.000075, 3.75)),
        (date(2012, 3, 1), 0.000095, 4.75, (0.000090, 4.50)),
        (date(2012, 7, 1), 0.000119, 5.95, (0.000095, 4.75)),
        (date(2022, 1, 1), 0.000130, 6.49, (0.000119, 5.95)),
        (date(2023, 1, 1), 0.000145, 7.27, (0.000130, 6.49)),
        (date(2024, 1, 1), 0.000166, 8.30, (0.000145, 7.27)),
        (date(2026, 1, 1), 0.000195, 9.79, (0.000166, 8.30)),
        (date(2027, 1, 1), 0.000232, 11.61, (0.000195, 9.79)),
        (date(2028, 1, 1), 0.000240, 12.05, (0.000232, 11.61)),
    ],
)
def test_the_trading_activity_fee_changes_on_its_day_and_not_before(
    first_day: date, per_share: float, cap: float, before: tuple[float, float]
) -> None:
    assert sale_fees(first_day)[1:] == (per_share, cap)
    assert sale_fees(first_day - DAY)[1:] == before


def test_the_fixed_commission_plan_is_the_published_one() -> None:
    assert commission_plan("ibkr_fixed") == CommissionPlan(
        per_share_usd=0.005,
        minimum_order_usd=1.00,
        maximum_fraction=0.01,
        option_minimum_order_usd=1.00,
        option_low_premium_usd=0.05,
        option_high_premium_usd=0.10,
        option_low_usd=0.25,
        option_middle_usd=0.50,
        option_high_usd=0.65,
    )


def test_the_tiers_of_the_broker_are_the_published_ones() -> None:
    plan = financing_plan("ibkr")
    assert plan.debit_ends.tolist() == [100_000, 1_000_000, 50_000_000, math.inf]
    assert plan.debit_spreads.tolist() == [0.015, 0.010, 0.0075, 0.005]
    assert plan.credit_ends.tolist() == [10_000, math.inf]
    assert plan.credit_spreads.tolist() == pytest.approx([math.nan, -0.005], nan_ok=True)
    assert plan.short_ends.tolist() == [100_000, 1_000_000, 3_000_000, math.inf]
    assert plan.short_spreads.tolist() == pytest.approx(
        [math.nan, -0.0125, -0.005, -0.0025], nan_ok=True
    )
    assert (plan.day_count_basis, plan.full_rate_net_liquidation_usd) == (360.0, 100_000.0)


def test_every_dated_table_ascends_and_states_its_source_and_standing() -> None:
    folder = files("levsleeve.margin").joinpath("tables")
    fees = tomllib.loads(folder.joinpath("fees.toml").read_text(encoding="utf-8"))
    shares = tomllib.loads(folder.joinpath("shares.toml").read_text(encoding="utf-8"))
    tables = {name: fees[name] for name in ("section_31", "trading_activity")}
    starts = {name: [row[0] for row in table["rates"]] for name, table in tables.items()}
    starts["requirement"] = [entry["effective"] for entry in shares["requirement"]]
    for name, days in starts.items():
        assert days == sorted(set(days)), name
    for entry in (*tables.values(), *shares["requirement"], *fees["commission"].values()):
        assert entry["source"]
        assert entry["standing"]
