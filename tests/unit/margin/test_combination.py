from datetime import date
from typing import Any

import pytest
from tests.unit.margin.books import CALL, EXPIRY, PUT, Lot, book, required, terms

from levsleeve.margin.account import margin_requirement
from levsleeve.margin.combination import (
    END_OF_DAY,
    INITIAL_MARGIN,
    MAINTENANCE,
    ORDER_INITIAL,
    pair,
    share_requirement,
)
from levsleeve.margin.pairing import (
    COVERED,
    PROTECTIVE,
)
from levsleeve.margin.schedule import NARROW

RELIEF = {"hedge_relief": "finra"}
UNSCALED = {"hedge_relief": "finra", "collar_rate": "unscaled"}
ROUNDED = 1e-6


# --- shares and a long option --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "price", "lot", "relieved", "unrelieved"),
    [
        (1_000, 100.0, Lot(PUT, 10, 90.0, 2.0), 19_000, 75_000),
        (1_000, 100.0, Lot(PUT, 10, 50.0, 2.0), 55_000, 75_000),
        (1_000, 50.0, Lot(PUT, 10, 90.0, 2.0), 9_000, 37_500),
        # Only covered shares: 600 at 19 and 400 at 75.
        (1_000, 100.0, Lot(PUT, 6, 90.0, 2.0), 41_400, 75_000),
        # More puts than shares do nothing more, nor do puts that cost more than they relieve.
        (1_000, 100.0, Lot(PUT, 30, 90.0, 2.0), 19_000, 75_000),
        (1_000, 100.0, Lot(PUT, 10, 20.0, 2.0), 75_000, 75_000),
        (-1_000, 50.0, Lot(CALL, 10, 55.0, 2.0), 10_500, 45_000),
        # A call does not hedge a long share, nor a put a short one.
        (1_000, 100.0, Lot(CALL, 10, 90.0, 12.0), 75_000, 75_000),
        (-1_000, 50.0, Lot(PUT, 10, 55.0, 6.0), 45_000, 45_000),
        (0, 100.0, Lot(PUT, 10, 90.0, 2.0), 0, 0),
    ],
)
def test_a_long_option_relieves_the_shares_that_it_covers_by_policy(
    shares: float, price: float, lot: Lot, relieved: float, unrelieved: float
) -> None:
    positions = book([shares], [price], lot)
    assert required(positions, 3.0, RELIEF) == pytest.approx(relieved, abs=ROUNDED)
    assert required(positions, 3.0) == pytest.approx(unrelieved, abs=ROUNDED)


@pytest.mark.parametrize("kind", [INITIAL_MARGIN, ORDER_INITIAL, END_OF_DAY])
def test_no_initial_margin_knows_relief(kind: int) -> None:
    positions = book([1_000], [100.0], Lot(PUT, 10, 90.0, 2.0))
    assert required(positions, 3.0, RELIEF, kind) == pytest.approx(75_000, abs=ROUNDED)
    broker = {**RELIEF, "order_initial": "broker"}
    assert required(positions, 1.0, broker, ORDER_INITIAL) == pytest.approx(25_000, abs=ROUNDED)


def test_of_several_puts_the_one_that_asks_least_covers_first() -> None:
    # 19 a share with the puts struck at 90, 37 with those at 70; 300 and 500 of 600 shares.
    puts = (Lot(PUT, 5, 70.0, 1.0), Lot(PUT, 3, 90.0, 4.0))
    answer = required(book([600], [100.0], *puts), 3.0, RELIEF)
    assert answer == pytest.approx(300 * 19 + 300 * 37, abs=ROUNDED)


def test_an_adjusted_contract_covers_the_shares_that_it_delivers() -> None:
    put = Lot(PUT, 4, 90.0, 2.0, multiplier=25.0)
    answer = required(book([1_000], [100.0], put), 3.0, RELIEF)
    assert answer == pytest.approx(100 * 19 + 900 * 75, abs=ROUNDED)


def test_the_floor_of_a_cheap_short_is_what_a_call_relieves() -> None:
    # A share at 6.00 keeps 5.40 at 3x; with a call struck at 6.50 it keeps 0.65 and 0.50.
    positions = book([-1_000], [6.0], Lot(CALL, 10, 6.5, 0.3))
    assert required(positions, 3.0) == pytest.approx(5_400, abs=ROUNDED)
    assert required(positions, 3.0, RELIEF) == pytest.approx(1_150, abs=ROUNDED)


# --- shares and a written option: 12 CFR 220.4(b)(4) ----------------------------------------------


@pytest.mark.parametrize(
    ("shares", "lot", "maintenance", "initial"),
    [
        # A call out of the money asks nothing; in the money the stock counts at the strike.
        (100, Lot(CALL, -1, 110.0, 1.0), 7_500, 7_500),
        (100, Lot(CALL, -1, 90.0, 12.0), 8_500, 8_500),
        (-100, Lot(PUT, -1, 90.0, 1.0), 9_000, 9_000),
        (-100, Lot(PUT, -1, 110.0, 12.0), 10_000, 10_000),
        # Of two calls one is covered; the other, at 110, takes its mark, 1, and 45 less 10.
        (100, Lot(CALL, -2, 110.0, 1.0), 7_500 + 3_600, 7_500 + 3_600),
        # A written put on a long share is uncovered: its mark and 45 less 10.
        (100, Lot(PUT, -1, 90.0, 1.0), 7_500 + 3_600, 7_500 + 3_600),
    ],
)
def test_shares_cover_the_written_option_of_their_side(
    shares: float, lot: Lot, maintenance: float, initial: float
) -> None:
    positions = book([shares], [100.0], lot)
    assert required(positions, 3.0) == pytest.approx(maintenance, abs=ROUNDED)
    assert required(positions, 3.0, kind=INITIAL_MARGIN) == pytest.approx(initial, abs=ROUNDED)


def test_the_dearest_of_two_calls_is_covered() -> None:
    # Alone at 90: 12 + 45, at 140: 0.2 + 30; covered: 10 more, and nothing.  Cover the first.
    calls = (Lot(CALL, -1, 140.0, 0.2), Lot(CALL, -1, 90.0, 12.0))
    answer = required(book([100], [100.0], *calls), 3.0)
    assert answer == pytest.approx(7_500 + 1_000 + 3_020, abs=ROUNDED)


# --- three together ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiple", "price", "put", "call", "kept", "opened"),
    [
        (1.0, 100.0, 90.0, 110.0, 19_000, 50_000),
        (1.0, 100.0, 90.0, 95.0, 24_000, 55_000),  # min(19, 23.75, 25) + 5
        (3.0, 100.0, 60.0, 110.0, 46_000, 75_000),
        # LEAN's conversion: 52.40 and 0.63; to open half of the stock and 0.63.
        (1.0, 524.63, 524.0, 524.0, 53_030, 262_945),
        (3.0, 100.0, 20.0, 20.0, 82_000, 155_000),
    ],
)
def test_a_collar_or_conversion_is_margined_as_one(
    multiple: float, price: float, put: float, call: float, kept: float, opened: float
) -> None:
    owed = max(0.0, price - call)
    positions = book([1_000], [price], Lot(PUT, 10, put, 1.0), Lot(CALL, -10, call, owed + 1.0))
    assert required(positions, multiple, RELIEF) == pytest.approx(kept, abs=ROUNDED)
    answer = required(positions, multiple, RELIEF, INITIAL_MARGIN)
    assert answer == pytest.approx(opened, abs=ROUNDED)


def test_the_quarter_of_a_collar_scales_by_its_switch() -> None:
    # 3x between a put at 60 and a call at 110: min(46, 82.5) or min(46, 27.5).
    positions = book([1_000], [100.0], Lot(PUT, 10, 60.0, 1.0), Lot(CALL, -10, 110.0, 1.0))
    assert required(positions, 3.0, UNSCALED) == pytest.approx(27_500, abs=ROUNDED)


def test_without_relief_a_collar_is_a_covered_call() -> None:
    positions = book([1_000], [100.0], Lot(PUT, 10, 95.0, 1.0), Lot(CALL, -10, 90.0, 12.0))
    assert required(positions, 1.0) == pytest.approx(35_000, abs=ROUNDED)
    # With it min(9.50 + 5, 22.50) and 10.
    assert required(positions, 1.0, RELIEF) == pytest.approx(24_500, abs=ROUNDED)


@pytest.mark.parametrize(("put", "kept"), [(50.0, 10_500), (55.0, 10_500), (60.0, 20_500)])
def test_a_short_share_between_a_call_and_a_put_is_margined_as_one(put: float, kept: float) -> None:
    # Short 1,000 of a 3x fund at 50, calls at 55: 5.50 + 5.  Puts at 50 add nothing, at 60 add 10;
    # at 55 it is a reverse conversion: 5.50 and the 5 owed on the put.
    positions = book([-1_000], [50.0], Lot(CALL, 10, 55.0, 2.0), Lot(PUT, -10, put, 2.0))
    assert required(positions, 3.0, RELIEF) == pytest.approx(kept, abs=ROUNDED)


def test_shares_with_fewer_options_than_a_collar_needs_are_margined_in_parts() -> None:
    # 400 shares in a collar at 19, 200 more under the put at 19, 400 alone at 75; the two calls
    # beyond the shares' ten are written alone, at 1 and 45 less 10.
    lots = (Lot(PUT, 6, 90.0, 2.0), Lot(CALL, -4, 110.0, 1.0))
    answer = required(book([1_000], [100.0], *lots), 3.0, RELIEF)
    assert answer == pytest.approx(600 * 19 + 400 * 75, abs=ROUNDED)
    lots = (Lot(PUT, 6, 90.0, 2.0), Lot(CALL, -12, 110.0, 1.0))
    answer = required(book([1_000], [100.0], *lots), 3.0, RELIEF)
    assert answer == pytest.approx(600 * 19 + 400 * 75 + 200 * 36, abs=ROUNDED)


# --- options alone -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lots", "maintenance"),
    [
        # LEAN's tests: ten wide at 200 on the S&P 500; a debit spread asks nothing more.
        ((Lot(PUT, -1, 195.0, 3.0), Lot(PUT, 1, 185.0, 1.0)), 1_000),
        ((Lot(CALL, -1, 205.0, 3.0), Lot(CALL, 1, 195.0, 9.0)), 0),
        ((Lot(CALL, -1, 195.0, 9.0), Lot(CALL, 1, 205.0, 3.0)), 1_000),
        ((Lot(PUT, -1, 185.0, 1.0), Lot(PUT, 1, 195.0, 3.0)), 0),
        # 120 wide: the uncovered put asks less, 3 and 30 less 5.
        ((Lot(PUT, -1, 195.0, 3.0), Lot(PUT, 1, 75.0, 0.0)), 2_800),
        # Two of three are covered.
        ((Lot(PUT, -3, 195.0, 3.0), Lot(PUT, 2, 185.0, 1.0)), 2_000 + 2_800),
        # A call and a put are no spread.
        ((Lot(CALL, -1, 195.0, 9.0), Lot(PUT, 1, 185.0, 1.0)), 3_900),
    ],
)
def test_a_spread_is_margined_at_its_width(lots: tuple[Lot, ...], maintenance: float) -> None:
    positions = book([0], [200.0], *lots)
    for kind in (MAINTENANCE, INITIAL_MARGIN, ORDER_INITIAL, END_OF_DAY):
        assert required(positions, 1.0, kind=kind) == pytest.approx(maintenance, abs=ROUNDED)


@pytest.mark.parametrize(
    ("held_until", "maintenance"),
    [(date(2019, 7, 18), 2_800), (EXPIRY, 1_000), (date(2019, 8, 16), 1_000)],
)
def test_a_long_leg_that_expires_first_is_no_spread(held_until: date, maintenance: float) -> None:
    lots = (Lot(PUT, -1, 195.0, 3.0), Lot(PUT, 1, 185.0, 1.0, held_until))
    answer = required(book([0], [200.0], *lots), 1.0)
    assert answer == pytest.approx(maintenance, abs=ROUNDED)


def test_the_width_of_a_spread_does_not_scale_with_the_multiple() -> None:
    positions = book([0], [200.0], Lot(PUT, -1, 195.0, 3.0), Lot(PUT, 1, 185.0, 1.0))
    assert required(positions, 3.0) == pytest.approx(1_000, abs=ROUNDED)


@pytest.mark.parametrize("lots", [1, 10])
def test_a_strangle_asks_the_dearer_side_and_the_others_mark(lots: int) -> None:
    # The call at 110 and the put at 90 take 2 and max(15 - 10, 10 or 9): 12, 11; and 2 more.
    written = (Lot(CALL, -lots, 110.0, 2.0), Lot(PUT, -lots, 90.0, 2.0))
    answer = required(book([0], [100.0], *written), 1.0)
    assert answer == pytest.approx(lots * 1_400, abs=ROUNDED)


def test_ten_straddles_on_a_stock_ask_22_a_share_as_in_leans_tests() -> None:
    written = (Lot(CALL, -10, 192.0, 1.0), Lot(PUT, -10, 192.0, 1.0))
    answer = margin_requirement(
        book([0], [100.0], *written), terms([1.0], classes=[NARROW]), MAINTENANCE
    )
    assert answer == pytest.approx(22_000, abs=ROUNDED)


def test_the_dearer_side_of_a_strangle_is_the_one_that_asks_more_with_its_mark() -> None:
    # The put takes 2 + 15, the call, of a later year, 8 + 10: 18 and the put's 2, though 17 and
    # the call's 8 would be more.
    written = (Lot(PUT, -1, 100.0, 2.0), Lot(CALL, -1, 110.0, 8.0, date(2021, 1, 15)))
    answer = required(book([0], [100.0], *written), 1.0)
    assert answer == pytest.approx(2_000, abs=ROUNDED)


def test_a_strangle_beside_shares_covers_its_call_where_that_saves_more() -> None:
    # 1x at 100, one call at 110 and one put at 90, each at 2.  Covered: 50 to open, and the put
    # alone 2 + 9; as a strangle 14 beside the stock's 50.
    written = (Lot(CALL, -1, 110.0, 2.0), Lot(PUT, -1, 90.0, 2.0))
    answer = required(book([100], [100.0], *written), 1.0, kind=INITIAL_MARGIN)
    assert answer == pytest.approx(5_000 + 1_100, abs=ROUNDED)


# --- the account ---------------------------------------------------------------------------------


def test_an_option_on_one_fund_does_nothing_for_another() -> None:
    put = Lot(PUT, 10, 90.0, 2.0, fund=1)
    funds = terms([3.0, 2.0], RELIEF)
    answer = margin_requirement(book([1_000, 1_000], [100.0, 100.0], put), funds, MAINTENANCE)
    assert answer == pytest.approx(75_000 + 19_000, abs=ROUNDED)


def test_an_empty_slot_is_not_there() -> None:
    empty = Lot(PUT, 0, 0.0, 0.0, multiplier=0.0)
    assert required(book([1_000], [100.0], empty), 3.0, RELIEF) == 75_000


def test_a_pairing_says_what_stands_with_what() -> None:
    lots = (Lot(PUT, 0, 0.0), Lot(PUT, 6, 90.0, 2.0))
    pairing = pair(book([1_000], [100.0], *lots), 0, terms([3.0], RELIEF), MAINTENANCE)
    assert pairing.places.tolist() == [1.0]
    assert pairing.units.tolist() == [1_000.0, 600.0]
    assert pairing.alone.tolist() == [75.0, 0.0]
    assert pairing.members.tolist() == [[0.0, 1.0, -1.0]]
    assert pairing.kinds.tolist() == [PROTECTIVE]
    assert pairing.costs.tolist() == [19.0]
    assert pairing.uses.tolist() == [600.0]


@pytest.mark.parametrize(
    ("kind", "switches"), [(MAINTENANCE, {}), (INITIAL_MARGIN, RELIEF), (END_OF_DAY, RELIEF)]
)
def test_no_protection_is_listed_where_there_is_no_relief(
    kind: int, switches: dict[str, Any]
) -> None:
    lots = (Lot(PUT, 6, 90.0, 2.0), Lot(CALL, -6, 110.0, 1.0))
    pairing = pair(book([1_000], [100.0], *lots), 0, terms([3.0], switches), kind)
    assert pairing.kinds.tolist() == [COVERED]
    pairing = pair(book([0], [100.0], *lots), 0, terms([3.0], switches), kind)
    assert pairing.kinds.tolist() == []
    assert pairing.alone.tolist() == pytest.approx([0.0, 0.0, 36.0])


@pytest.mark.parametrize(
    ("kind", "switches", "each"),
    [
        (MAINTENANCE, {}, 50.0),
        (INITIAL_MARGIN, {}, 50.0),
        (ORDER_INITIAL, {}, 50.0),
        (END_OF_DAY, {}, 50.0),
        (END_OF_DAY, {"end_of_day_initial": "ibkr_legacy"}, 100.0),
        (MAINTENANCE, {"house": {"kind": "rate", "long_rate": 0.8}}, 80.0),
        (ORDER_INITIAL, {"order_initial": "broker", "flat_rate": 0.2}, 20.0),
    ],
)
def test_the_kind_of_requirement_and_the_house_reach_the_shares(
    kind: int, switches: dict[str, Any], each: float
) -> None:
    answer = share_requirement(book([10], [100.0]), 0, terms([2.0], switches), kind)
    assert answer == pytest.approx(each, abs=ROUNDED)
