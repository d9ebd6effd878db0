import math
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from tests.unit.margin.plans import OWN_COMMISSION, OWN_FINANCING

from levsleeve.errors import ScheduleError
from levsleeve.margin.charges import (
    BorrowRates,
    CommissionPlan,
    FinancingPlan,
    SaleFees,
    borrow_rates,
    commission_plan,
    financing_plan,
    sale_fees,
)

DAY = timedelta(days=1)
COMMISSIONS = ["ibkr_fixed", "ibkr_tiered", "none"]
FINANCINGS = ["ibkr", "ibkr_2021", "ibkr_lite", "ibkr_older_credit"]


def bundled(name: str) -> dict[str, Any]:
    folder = files("levsleeve.margin").joinpath("tables")
    return tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))


# -- the regulators' fees -------------------------------------------------------------------------


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
    after, earlier = sale_fees(first_day), sale_fees(first_day - DAY)
    assert (after.activity_per_share_usd, after.activity_cap_usd) == (per_share, cap)
    assert (earlier.activity_per_share_usd, earlier.activity_cap_usd) == before


@pytest.mark.parametrize(
    ("first_day", "per_contract", "before"),
    [
        # FINRA's activity fee on options; 0.002 stood on brokers' pages from 2016 to 2019.
        (date(2023, 1, 1), 0.00244, 0.002),
        (date(2024, 1, 1), 0.00279, 0.00244),
        (date(2026, 1, 1), 0.00329, 0.00279),
    ],
)
def test_the_activity_fee_on_options_changes_on_its_day_and_not_before(
    first_day: date, per_contract: float, before: float
) -> None:
    assert sale_fees(first_day).activity_per_contract_usd == per_contract
    assert sale_fees(first_day - DAY).activity_per_contract_usd == before


@pytest.mark.parametrize(
    ("first_day", "per_contract", "before"),
    [
        # Interactive Brokers collects it since February 2010, the sum over all exchanges.
        (date(2010, 2, 1), 0.014, 0.0),
        (date(2017, 2, 1), 0.0378, 0.014),
        (date(2019, 2, 1), 0.0379, 0.0378),
        (date(2024, 1, 1), 0.02685, 0.0379),
        (date(2025, 1, 1), 0.02375, 0.02685),
    ],
)
def test_the_options_regulatory_fee_changes_on_its_day_and_not_before(
    first_day: date, per_contract: float, before: float
) -> None:
    assert sale_fees(first_day).regulatory_per_contract_usd == per_contract
    assert sale_fees(first_day - DAY).regulatory_per_contract_usd == before


def test_the_fees_of_a_day_have_a_name_each() -> None:
    assert sale_fees(date(2024, 6, 3)) == SaleFees(
        section_31_rate=27.80 / 1e6,
        activity_per_share_usd=0.000166,
        activity_cap_usd=8.30,
        activity_per_contract_usd=0.00279,
        regulatory_per_contract_usd=0.02685,
    )


def test_a_day_before_the_fees_is_refused_with_the_start_of_the_table() -> None:
    with pytest.raises(ScheduleError) as refused:
        sale_fees(date(1989, 12, 31))
    assert str(refused.value) == (
        "the FINRA trading activity fee has no entry on 1989-12-31; the table starts 1990-01-01"
    )


def test_every_table_of_fees_ascends_and_states_its_source_and_standing() -> None:
    fees = bundled("fees")
    dated = {name: entry for name, entry in fees.items() if name != "commission"}
    assert len(dated) == 4
    for name, entry in dated.items():
        days = [row[0] for row in entry["rates"]]
        assert days == sorted(set(days)), name
        assert entry["source"]
        assert entry["standing"]


# -- the bundled plans ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "known"),
    [(commission_plan, COMMISSIONS), (financing_plan, FINANCINGS)],
)
def test_a_plan_that_is_unknown_is_refused_with_those_that_are(
    asked: Callable[..., object], known: list[str]
) -> None:
    kind = "commission plan" if asked is commission_plan else "financing plan"
    with pytest.raises(ScheduleError) as refused:
        asked("gratis")
    assert str(refused.value) == (f"gratis: no {kind} of that name; known are {', '.join(known)}")


def test_the_placeholder_borrow_fees_are_not_mistaken_for_a_financing_plan() -> None:
    with pytest.raises(ScheduleError) as refused:
        financing_plan("borrow", {"borrow": bundled("financing")["borrow"]})
    assert str(refused.value) == (
        f"borrow: no financing plan of that name; known are {', '.join(FINANCINGS)}"
    )
    assert borrow_rates() == BorrowRates(bull_rate=0.01, inverse_rate=0.04)


def test_every_figure_is_a_float_for_the_compiler() -> None:
    for record in (
        *(commission_plan(name) for name in COMMISSIONS),
        *(financing_plan(name) for name in FINANCINGS),
        sale_fees(date(2020, 1, 2)),
        borrow_rates(),
    ):
        for value in record:
            assert (
                value.dtype == np.float64 if isinstance(value, np.ndarray) else type(value) is float
            )


# IBKR's options, in each plan: by premium below $0.05, below $0.10 and above, and by contracts.
BY_PREMIUM = [[0.25, 0.50, 0.65], [0.25, 0.50, 0.50], [0.25, 0.25, 0.25], [0.15, 0.15, 0.15]]


def contents(plan: CommissionPlan | FinancingPlan) -> dict[str, object]:
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in plan._asdict().items()
    }


def test_the_fixed_commission_plan_is_the_published_one() -> None:
    assert contents(commission_plan("ibkr_fixed")) == {
        "share_ends": [math.inf],
        "per_share_usd": [0.005],
        "minimum_order_usd": 1.00,
        "maximum_fraction": 0.01,
        "clearing_per_share_usd": 0.0,
        "pass_through_fraction": 0.0,
        "contract_ends": [10_000, 50_000, 100_000, math.inf],
        "per_contract_usd": BY_PREMIUM,
        "option_minimum_order_usd": 1.00,
        "option_low_premium_usd": 0.05,
        "option_high_premium_usd": 0.10,
        "exercise_usd": 0.0,
    }


def test_the_tiered_commission_plan_is_the_published_one() -> None:
    fixed, tiered = contents(commission_plan("ibkr_fixed")), commission_plan("ibkr_tiered")
    assert contents(tiered) == fixed | {
        "share_ends": [300_000, 3_000_000, 20_000_000, 100_000_000, math.inf],
        "per_share_usd": [0.0035, 0.0020, 0.0015, 0.0010, 0.0005],
        "minimum_order_usd": 0.35,
        "clearing_per_share_usd": 0.00020,
        "pass_through_fraction": pytest.approx(0.000175 + 0.00056),
    }


IBKR = {
    "debit_ends": [100_000, 1_000_000, 50_000_000, math.inf],
    "debit_spreads": [0.015, 0.010, 0.0075, 0.005],
    "credit_ends": [10_000, math.inf],
    "credit_spreads": pytest.approx([math.nan, -0.005], nan_ok=True),
    "short_ends": [100_000, 1_000_000, 3_000_000, math.inf],
    "short_spreads": pytest.approx([math.nan, -0.0125, -0.005, -0.0025], nan_ok=True),
    "day_count_basis": 360.0,
    "full_rate_net_liquidation_usd": 100_000.0,
    "least_debit_rate": 0.0,
    "borrow_markup": 1.02,
    "borrow_round_up_usd": 1.0,
}


@pytest.mark.parametrize(
    ("name", "otherwise"),
    [
        ("ibkr", {}),
        (
            "ibkr_lite",
            {
                "debit_ends": [math.inf],
                "debit_spreads": [0.025],
                "credit_spreads": pytest.approx([math.nan, -0.015], nan_ok=True),
            },
        ),
        (
            "ibkr_2021",
            {
                "debit_ends": [100_000, 1_000_000, 3_000_000, math.inf],
                "debit_spreads": [0.015, 0.010, 0.005, 0.003],
                "least_debit_rate": 0.0075,
            },
        ),
        (
            "ibkr_older_credit",
            {
                "credit_ends": [10_000, 100_000, math.inf],
                "credit_spreads": pytest.approx([math.nan, -0.005, -0.0025], nan_ok=True),
            },
        ),
    ],
)
def test_the_tiers_of_the_broker_are_the_published_ones(
    name: str, otherwise: dict[str, object]
) -> None:
    assert contents(financing_plan(name)) == IBKR | otherwise


# -- a user's own plans ---------------------------------------------------------------------------


def test_a_users_own_commission_plan_is_taken_beside_the_bundled_ones() -> None:
    own = tomllib.loads(OWN_COMMISSION)
    assert contents(commission_plan("mine", own)) == {
        "share_ends": [1_000.0, math.inf],
        "per_share_usd": [0.01, 0.004],
        "minimum_order_usd": 2.0,
        "maximum_fraction": 0.05,
        "clearing_per_share_usd": 0.0,
        "pass_through_fraction": 0.0,
        "contract_ends": [math.inf],
        "per_contract_usd": [[0.5, 0.75, 1.0]],
        "option_minimum_order_usd": 1.5,
        "option_low_premium_usd": 0.1,
        "option_high_premium_usd": 0.2,
        "exercise_usd": 5.0,
    }
    assert contents(commission_plan("none", own)) == contents(commission_plan("none"))
    with pytest.raises(ScheduleError) as refused:
        commission_plan("gratis", own)
    assert str(refused.value) == (
        "gratis: no commission plan of that name; known are ibkr_fixed, ibkr_tiered, mine, none"
    )


def test_a_users_own_financing_plan_and_borrow_fees_are_taken_in_place_of_the_bundled_ones() -> (
    None
):
    own = tomllib.loads(OWN_FINANCING)
    for name, tables in (("mine", own), ("ibkr", {"ibkr": own["mine"]})):
        assert contents(financing_plan(name, tables)) == {
            "debit_ends": [50_000.0, math.inf],
            "debit_spreads": [0.03, 0.02],
            "credit_ends": [math.inf],
            "credit_spreads": pytest.approx([math.nan], nan_ok=True),
            "short_ends": [math.inf],
            "short_spreads": [-0.01],
            "day_count_basis": 365.0,
            "full_rate_net_liquidation_usd": 0.0,
            "least_debit_rate": 0.02,
            "borrow_markup": 1.0,
            "borrow_round_up_usd": 0.0,
        }
    assert borrow_rates(own["borrow"]) == BorrowRates(bull_rate=0.005, inverse_rate=0.06)
