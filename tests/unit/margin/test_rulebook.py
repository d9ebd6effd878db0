import math
from datetime import date

import numpy as np
import pytest

from levsleeve.errors import StudyError
from levsleeve.margin.house import INITIAL_FACTOR, LONG_RATE, NO_OVERLAY, SHORT_RATE
from levsleeve.margin.policy import FactorOverlay, Policy, RateOverlay
from levsleeve.margin.profile import Profile
from levsleeve.margin.requirement import maintenance_per_share
from levsleeve.margin.rulebook import Rulebook, rulebook
from levsleeve.margin.schedule import (
    BROAD,
    FLAT_RATE,
    HEDGE_RELIEF,
    HIGH_CAP,
    NARROW,
    OPTION_SCALES_WITH_MULTIPLE,
    ORDER_INITIAL_BROKER,
    SCALES_WITH_MULTIPLE,
)

ON = date(2019, 6, 3)
OWN = Profile(
    source="a letter",
    standing="confirmed",
    policy=Policy(order_initial="broker", hedge_relief="finra"),
    house=(RateOverlay(long_rate=0.8, short_rate=1.25),),
)


def overlay_rates(book: Rulebook, on: date = ON, multiple: float = 3.0) -> tuple[float, float]:
    row = book.overlay(on, multiple)
    return float(row[LONG_RATE]), float(row[SHORT_RATE])


def test_the_rulebook_of_nothing_said_is_the_regulators_minimum() -> None:
    book = rulebook()
    assert book.profile.title == "the regulators' minimum"
    assert book.policy == Policy()
    assert book.rules_as_of is None
    assert book.overlays == ()
    assert book.overlay(ON, 3.0).tolist() == NO_OVERLAY.tolist()


def test_a_row_that_is_handed_out_is_nobody_elses() -> None:
    book = rulebook()
    book.overlay(ON, 3.0)[:] = 9.0
    assert book.overlay(ON, 3.0).tolist() == NO_OVERLAY.tolist()


def test_a_switch_that_is_given_goes_before_the_profiles_and_leaves_the_others() -> None:
    rules = rulebook(OWN, {"hedge_relief": "none"}).rules(ON)
    assert (rules[ORDER_INITIAL_BROKER], rules[HEDGE_RELIEF]) == (1.0, 0.0)
    rules = rulebook(OWN).rules(ON)
    assert (rules[ORDER_INITIAL_BROKER], rules[HEDGE_RELIEF]) == (1.0, 1.0)


def test_of_a_policy_only_what_was_set_goes_before_the_profile() -> None:
    # A policy at its defaults says nothing; one that says the default says it.
    assert rulebook(OWN, Policy()).policy == OWN.policy
    changed = rulebook(OWN, Policy(order_initial="regt")).policy
    assert (changed.order_initial, changed.hedge_relief) == ("regt", "finra")


def test_a_house_in_a_policy_overlays_beside_the_profiles() -> None:
    for switches in (
        Policy(house=RateOverlay(long_rate=0.9)),
        {"house": RateOverlay(long_rate=0.9)},
        {"house": {"kind": "rate", "long_rate": 0.9}},
    ):
        assert overlay_rates(rulebook(OWN, switches)) == (0.9, 1.25)
    asked = rulebook("finra", Policy(house=FactorOverlay(factor=1.35))).overlay(ON, 3.0)
    assert asked[INITIAL_FACTOR] == 1.35


def test_rules_and_dated_house_rates_are_frozen_together() -> None:
    frozen = rulebook("td_2010", rules_as_of=date(2009, 12, 1))
    for session in (date(1995, 1, 3), date(2012, 1, 3)):
        rules = frozen.rules(session)
        assert rules[SCALES_WITH_MULTIPLE] == 1.0
        assert rules[OPTION_SCALES_WITH_MULTIPLE] == 0.0
        assert overlay_rates(frozen, session) == pytest.approx((0.90, 0.90))
    assert overlay_rates(rulebook("td_2010"), date(2009, 11, 30)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("profile", "seen"),
    [
        ("finra", ()),
        ("ibkr", ()),
        ("house_volatility", ("volatility",)),
        ("house_flow", ("flow",)),
    ],
)
def test_a_rulebook_says_what_state_of_the_market_it_looks_at(
    profile: str, seen: tuple[str, ...]
) -> None:
    assert rulebook(profile).needs_state == seen


def test_a_rulebook_may_look_at_both() -> None:
    flow = {"kind": "flow", "base": 0.06, "slope": 0.2, "ceiling": 1.0}
    assert rulebook("house_volatility", {"house": flow}).needs_state == ("volatility", "flow")


def test_a_rate_that_follows_the_market_raises_the_rule_of_its_date() -> None:
    # A VIX of 40, double the base of 20: half as much again, on the rule before it scaled and
    # after, never above 100 %.
    book = rulebook("house_volatility")
    before, after = date(2009, 11, 30), date(2009, 12, 1)

    def asked(on: date, price: float, volatility: float = np.nan) -> tuple[float, float]:
        row, rules = book.overlay(on, 2.0, volatility=volatility), book.rules(on)
        long, short = (
            maintenance_per_share(price, 2.0, side, BROAD, row, rules) for side in (False, True)
        )
        return long / price, short / price

    assert asked(before, 100.0, 0.40) == pytest.approx((0.375, 0.45))
    assert asked(after, 100.0, 0.40) == pytest.approx((0.75, 0.90))
    assert asked(after, 100.0) == pytest.approx((0.50, 0.60))


def test_a_rate_that_follows_the_market_raises_all_of_a_cheap_shorts_value() -> None:
    # The rule asks 100 % of a short at $4; half as much again is 150 %.
    house = {"kind": "volatility", "base": 0.20, "slope": 0.5, "ceiling": 2.0}
    book = rulebook("finra", {"house": house})
    row = book.overlay(ON, 1.0, volatility=0.40)
    asked = maintenance_per_share(4.0, 1.0, True, BROAD, row, book.rules(ON))  # noqa: FBT003
    assert asked == pytest.approx(6.0)


def test_a_rate_that_follows_the_market_raises_the_portfolio_rate_in_portfolio_mode() -> None:
    # A long 3x on the S&P 500: 24 %, half as much again at a VIX of 40.
    book = rulebook("house_volatility", {"margin_mode": "portfolio"})
    for volatility, rate in ((0.15, 0.24), (0.40, 0.36)):
        row = book.overlay(ON, 3.0, volatility=volatility)
        asked = maintenance_per_share(100.0, 3.0, False, HIGH_CAP, row, book.rules(ON))  # noqa: FBT003
        assert asked == pytest.approx(100.0 * rate)


def test_the_terms_of_several_funds_are_arrays_in_their_order() -> None:
    funds = rulebook("retail_100").terms(ON, [3.0, 1.0, -2.0], [BROAD, HIGH_CAP, NARROW])
    assert funds.multiples.tolist() == [3.0, 1.0, -2.0]
    assert funds.benchmark_classes.tolist() == [BROAD, HIGH_CAP, NARROW]
    assert funds.overlays[:, LONG_RATE].tolist() == [1.0, 0.0, 1.0]
    assert np.array_equal(funds.rules, rulebook().rules(ON), equal_nan=True)
    assert {array.dtype for array in funds} == {np.dtype(np.float64)}
    assert rulebook().terms(ON, [], []).overlays.shape == (0, NO_OVERLAY.size)


def test_a_flat_rate_reaches_the_rules() -> None:
    assert math.isnan(rulebook().rules(ON)[FLAT_RATE])
    assert rulebook(switches={"flat_rate": 0.6}).rules(ON)[FLAT_RATE] == 0.6


def test_a_flat_rate_beside_a_profiles_house_is_refused() -> None:
    with pytest.raises(StudyError) as refused:
        rulebook("ibkr", {"flat_rate": 0.5})
    assert str(refused.value) == (
        "policy: flat_rate: 0.5 replaces the rulebook that the profile's house rates overlay; "
        "a profile without house rates is right"
    )


def test_an_unknown_profile_is_refused_by_name() -> None:
    with pytest.raises(StudyError) as refused:
        rulebook("ikbr")
    assert str(refused.value).startswith("ikbr: no broker profile of that name; known are finra,")


def test_a_switch_of_a_profile_that_contradicts_a_given_one_is_refused() -> None:
    with pytest.raises(StudyError) as refused:
        rulebook(OWN, {"margin_mode": "portfolio"})
    assert str(refused.value) == (
        "policy: hedge_relief: finra contradicts margin_mode portfolio, which knows no such rule; "
        "margin_mode strategy is right"
    )
