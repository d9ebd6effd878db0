import math
from datetime import date

import pytest

from levsleeve.compiled import Floats
from levsleeve.margin.house import (
    INITIAL_FACTOR,
    LONG_CAP,
    LONG_RATE,
    MAINTENANCE_FACTOR,
    NO_OVERLAY,
    SHORT_CAP,
    SHORT_RATE,
    house_rate,
    overlay_row,
    reset_trade_rate,
    state_factor,
)
from levsleeve.margin.policy import (
    FactorOverlay,
    FlowOverlay,
    Overlay,
    RateOverlay,
    VolatilityOverlay,
)
from levsleeve.margin.profile import load_profile

ON = date(2019, 6, 3)
AUTUMN_2020 = load_profile("ibkr").house
RULE = (0.75, 0.90)  # a 3x fund, long and short
EXACT = 1e-12


def row(
    *overlays: Overlay,
    on: date = ON,
    multiple: float = 3.0,
    volatility: float = math.nan,
    index_return: float = math.nan,
) -> Floats:
    return overlay_row(overlays, on, multiple, volatility, index_return)


def rates(overlay: Floats) -> tuple[float, float]:
    return float(overlay[LONG_RATE]), float(overlay[SHORT_RATE])


def asked_of(rule: tuple[float, float], overlay: Floats) -> tuple[float, float]:
    """Long and short maintenance of the house where the rule asks these."""
    long, short = (
        float(house_rate(rate, MAINTENANCE_FACTOR, side, overlay))
        for rate, side in zip(rule, (False, True), strict=True)
    )
    return long, short


def test_a_house_that_asks_nothing_has_the_row_of_no_overlay() -> None:
    assert row().tolist() == NO_OVERLAY.tolist() == [0.0, 0.0, 1.0, 1.0, math.inf, math.inf]


# --- factors -------------------------------------------------------------------------------------


def test_a_factor_bounds_the_long_side_at_its_value_and_the_short_one_by_nothing() -> None:
    asked = row(FactorOverlay(factor=1.35))
    assert asked.tolist() == [0.0, 0.0, 1.35, 1.35, 1.0, math.inf]
    asked = row(FactorOverlay(factor=1.2, long_cap=None, short_cap=1.5))
    assert (asked[LONG_CAP], asked[SHORT_CAP]) == (math.inf, 1.5)


def test_a_factor_below_one_asks_nothing() -> None:
    # A member may ask more than the rule, never less (FINRA Rule 4210(d)(1)).
    assert max(asked_of(RULE, row(FactorOverlay(factor=0.8)))) < min(RULE)


@pytest.mark.parametrize(
    ("applies_to", "maintenance", "initial"),
    [("both", 1.35, 1.35), ("maintenance", 1.35, 1.0), ("initial", 1.0, 1.35)],
)
def test_a_factor_applies_to_what_it_names(
    applies_to: str, maintenance: float, initial: float
) -> None:
    asked = row(FactorOverlay.model_validate({"factor": 1.35, "applies_to": applies_to}))
    assert (asked[MAINTENANCE_FACTOR], asked[INITIAL_FACTOR]) == (maintenance, initial)


@pytest.mark.parametrize(
    ("on", "initial", "maintenance"),
    [
        # Interactive Brokers: every requirement by 35 %, initial phased from 28 September to 23
        # October 2020, maintenance from 5 to 30 October: a twentieth of it each weekday.
        (date(2020, 9, 27), 1.0, 1.0),
        (date(2020, 9, 28), 1.0175, 1.0),
        (date(2020, 9, 30), 1.0525, 1.0),
        (date(2020, 10, 2), 1.0875, 1.0),
        (date(2020, 10, 4), 1.0875, 1.0),  # a Sunday
        (date(2020, 10, 5), 1.105, 1.0175),
        (date(2020, 10, 9), 1.175, 1.0875),
        (date(2020, 10, 16), 1.2625, 1.175),
        (date(2020, 10, 22), 1.3325, 1.245),
        (date(2020, 10, 23), 1.35, 1.2625),
        (date(2020, 10, 29), 1.35, 1.3325),
        (date(2020, 10, 30), 1.35, 1.35),
        (date(2020, 11, 30), 1.35, 1.35),
        (date(2020, 12, 1), 1.0, 1.0),
    ],
)
def test_the_increase_of_autumn_2020_is_phased_in_day_by_day(
    on: date, initial: float, maintenance: float
) -> None:
    asked = row(*AUTUMN_2020, on=on)
    for place, factor in ((INITIAL_FACTOR, initial), (MAINTENANCE_FACTOR, maintenance)):
        short = house_rate(0.60, place, True, asked)  # noqa: FBT003  (by position)
        assert short == pytest.approx(0.60 * factor, abs=EXACT)


def test_of_two_factors_the_dearer_holds_each_under_its_own_caps() -> None:
    # 2.0 times 75 % stops at 60 %, 1.2 times it makes 90 %: the dearer is 90 %.
    steep = FactorOverlay(factor=2.0, long_cap=0.6, short_cap=1.0)
    mild = FactorOverlay(factor=1.2, long_cap=1.0, short_cap=None)
    for overlays in ((steep, mild), (mild, steep)):
        assert asked_of(RULE, row(*overlays)) == pytest.approx((0.90, 1.08), abs=EXACT)


def test_a_factor_on_initial_margin_leaves_the_caps_of_one_on_maintenance_alone() -> None:
    # 1.5 times 75 % under a cap of 2 is 112.5 %, though the factor on initial stops at 100 %.
    kept = FactorOverlay(factor=1.5, applies_to="maintenance", long_cap=2.0)
    opened = FactorOverlay(factor=2.0, applies_to="initial", long_cap=1.0)
    for overlays in ((kept, opened), (opened, kept)):
        asked = row(*overlays)
        assert asked_of(RULE, asked)[0] == pytest.approx(1.125, abs=EXACT)
        initial = house_rate(0.75, INITIAL_FACTOR, False, asked)  # noqa: FBT003  (by position)
        assert initial == 1.0


def test_a_row_is_as_long_on_days_when_an_overlay_rests() -> None:
    dated = (FactorOverlay(factor=1.35, effective=ON), FactorOverlay(factor=1.2))
    assert row(*dated).size == row(*dated, on=date(2019, 6, 2)).size == 10


def test_a_factor_without_a_phase_holds_in_full_from_its_first_day() -> None:
    dated = FactorOverlay(factor=1.35, effective=ON)
    assert row(dated)[MAINTENANCE_FACTOR] == 1.35
    assert row(dated, on=date(2019, 6, 2))[MAINTENANCE_FACTOR] == 1.0


# --- rates ---------------------------------------------------------------------------------------


def test_of_several_rates_the_dearest_holds_on_each_side() -> None:
    one = RateOverlay(long_rate=0.60, short_rate=1.80)
    two = RateOverlay(long_rate=0.80, short_rate=1.00)
    assert rates(row(one, two)) == (0.80, 1.80)


def test_a_rate_and_a_factor_stand_in_one_row() -> None:
    asked = row(RateOverlay(long_rate=0.8), FactorOverlay(factor=1.35))
    assert asked.tolist() == [0.8, 0.0, 1.35, 1.35, 1.0, math.inf]


@pytest.mark.parametrize(
    ("multiple", "long_rate", "short_rate"),
    [(1.0, 0.25, 0.30), (2.0, 0.50, 0.60), (-3.0, 0.75, 0.90), (5.0, 1.0, 1.0), (0.5, 0.125, 0.15)],
)
def test_a_rate_per_turn_is_multiplied_by_the_magnitude_and_stops_at_one(
    multiple: float, long_rate: float, short_rate: float
) -> None:
    overlay = RateOverlay(long_rate=0.25, short_rate=0.30, per_turn=True)
    asked = rates(row(overlay, multiple=multiple))
    assert asked == pytest.approx((long_rate, short_rate), abs=EXACT)


# --- when and for which funds ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "asked"),
    [
        (date(2018, 2, 4), 0.0),
        (date(2018, 2, 5), 0.8),
        (date(2018, 3, 1), 0.8),
        (date(2018, 3, 2), 0.0),
    ],
)
def test_an_overlay_holds_from_its_first_day_to_its_last(on: date, asked: float) -> None:
    overlay = RateOverlay(long_rate=0.8, effective=date(2018, 2, 5), until=date(2018, 3, 1))
    assert row(overlay, on=on)[LONG_RATE] == asked


@pytest.mark.parametrize(
    ("multiple", "asked"), [(1.0, 0.0), (-1.0, 0.0), (1.5, 0.8), (-2.0, 0.8), (3.0, 0.8)]
)
def test_an_overlay_holds_for_funds_above_its_multiple(multiple: float, asked: float) -> None:
    overlay = RateOverlay(long_rate=0.8, above_multiple=1.0)
    assert row(overlay, multiple=multiple)[LONG_RATE] == asked


# --- rates that follow the market -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (0.10, 0.75),
        (0.20, 0.75),
        # 0.75 (1 + 0.5 (v - 0.20) / 0.20)
        (0.22, 0.7875),
        (0.30, 0.9375),
        (0.3333, 0.9999375),
        (0.80, 1.0),
    ],
)
def test_a_rate_rises_with_the_state_above_its_base_up_to_a_ceiling(
    state: float, asked: float
) -> None:
    overlay = VolatilityOverlay(base=0.20, slope=0.5, ceiling=1.0)
    assert asked_of(RULE, row(overlay, volatility=state))[0] == pytest.approx(asked, abs=EXACT)
    factor = state_factor(state, 0.20, 0.5)
    assert min(1.0, 0.75 * factor) == pytest.approx(asked, abs=EXACT)


@pytest.mark.parametrize(
    ("multiple", "factor"),
    [(1.0, 0.0), (2.0, 2.0), (3.0, 6.0), (-1.0, 2.0), (-2.0, 6.0), (-3.0, 12.0)],
)
def test_a_reset_trade_is_l_times_l_less_one_of_the_index_return(
    multiple: float, factor: float
) -> None:
    # Cheng and Madhavan (2009).
    for move in (0.03, -0.03):
        assert reset_trade_rate(multiple, move) == pytest.approx(factor * 0.03, abs=EXACT)


def test_a_house_that_watches_volatility_raises_both_sides() -> None:
    overlay = VolatilityOverlay(base=0.20, slope=0.25, ceiling=1.5)
    assert asked_of(RULE, row(overlay, volatility=0.40)) == pytest.approx(
        (0.9375, 1.125), abs=EXACT
    )
    assert asked_of(RULE, row(overlay, volatility=0.15)) == RULE
    assert asked_of(RULE, row(overlay)) == RULE  # nothing is known yet


def test_a_house_that_watches_the_reset_trade_raises_both_sides_after_a_large_one() -> None:
    # A 3x fund after -2 %: 12 % of assets, twice the base of 6 %; a -3x fund trades 24 %.
    overlay = FlowOverlay(base=0.06, slope=0.1, ceiling=1.0)
    asked = asked_of(RULE, row(overlay, index_return=-0.02))
    assert asked == pytest.approx((0.825, 0.99), abs=EXACT)
    asked = asked_of(RULE, row(overlay, multiple=-3.0, index_return=0.02))
    assert asked == pytest.approx((0.975, 1.0), abs=EXACT)
    assert asked_of(RULE, row(overlay)) == RULE
