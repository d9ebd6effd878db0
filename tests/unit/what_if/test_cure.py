import pytest
from tests.unit.what_if.accounts import at_hand, fund, option, shares

from levsleeve.what_if.account import AccountAtHand
from levsleeve.what_if.cure import Cure, cure_with, is_called

PLAIN = {"BULL": fund(100.0, 1.0, "narrow")}


def cure(account: AccountAtHand) -> Cure:
    return cure_with(account, 0)


def test_a_long_sells_the_deficiency_over_what_a_share_frees_rounded_up() -> None:
    # 35,000 short, 75 freed by a share: 466.67, so 467, which leave 467 x 75 - 35,000.
    found = cure(at_hand(-60_000.0, shares(1000)))
    assert (found.shares_to_trade, found.cures) == (467.0, True)
    assert found.excess_liquidity_after_usd == pytest.approx(25.0)
    assert found.market_value_to_cut_usd == pytest.approx(35_000.0 / 0.75)
    assert found.market_value_after_cut_usd == pytest.approx(100_000.0 - 35_000.0 / 0.75)


def test_a_short_buys_back_the_deficiency_over_what_a_share_frees() -> None:
    # 300 short of a 3x at 100 keep 90 each: 27,000 on an equity of 26,100, 900 short.
    found = cure(at_hand(56_100.0, shares(-300)))
    assert (found.shares_to_trade, found.cures) == (10.0, True)
    assert found.excess_liquidity_after_usd == pytest.approx(0.0, abs=1e-9)
    assert found.market_value_to_cut_usd == pytest.approx(1_000.0)


@pytest.mark.parametrize("debit", [25_000.0, 24_999.5, 0.0])
def test_exactly_nothing_or_more_left_needs_no_cure(debit: float) -> None:
    account = at_hand(-debit, shares(1000))
    assert not is_called(account)
    assert cure(account) == Cure(0.0, 25_000.0 - debit, 0.0, 100_000.0, cures=True)


def test_a_cent_below_zero_is_a_call_that_one_share_ends() -> None:
    account = at_hand(-25_000.01, shares(1000))
    assert is_called(account)
    assert cure(account).shares_to_trade == 1.0


def test_all_shares_are_told_where_none_suffice() -> None:
    found = cure(at_hand(-100_001.0, shares(1000)))
    assert found == Cure(1000.0, -1.0, 100_000.0, 0.0, cures=False)


@pytest.mark.parametrize(
    ("debit", "sold"),
    [
        (150_000.0, 587.0),  # 44,000 short: uncovered shares go first and free 75 each
        (190_000.0, 1_474.0),  # 84,000 short: 1,000 free 75,000, then 474 hedged ones 19 each
    ],
)
def test_hedged_shares_go_after_those_without_a_hedge(debit: float, sold: float) -> None:
    account = at_hand(
        -debit, shares(2000), option("put", 10, 90.0), policy={"hedge_relief": "finra"}
    )
    assert cure(account).shares_to_trade == sold


def test_shares_that_cover_written_calls_stay_where_selling_them_costs_more() -> None:
    # Plain fund at 100: a free share frees 25; a covering one leaves a call that asks 28.
    account = at_hand(-122_500.0, shares(1500), option("call", -10, 100.0, 8.0), funds=PLAIN)
    assert account.figures().excess_liquidity_usd == -10_000.0
    found = cure(account)
    assert (found.shares_to_trade, found.cures) == (400.0, True)
    assert found.market_value_to_cut_usd == pytest.approx(40_000.0)
    assert account.traded(0, -1500.0).figures().excess_liquidity_usd == pytest.approx(-500.0)


def test_where_even_the_best_number_does_not_cure_all_shares_are_told() -> None:
    # 500 free shares free 12,500 at most; selling all frees 3,000 less than that.
    account = at_hand(-125_100.0, shares(1500), option("call", -10, 100.0, 8.0), funds=PLAIN)
    found = cure(account)
    assert (found.shares_to_trade, found.cures) == (1500.0, False)
    assert found.excess_liquidity_after_usd == pytest.approx(-12_600.0 + 9_500.0)


def test_the_best_number_may_cure_exactly() -> None:
    account = at_hand(-125_000.0, shares(1500), option("call", -10, 100.0, 8.0), funds=PLAIN)
    found = cure(account)
    assert (found.shares_to_trade, found.cures) == (500.0, True)
    assert found.excess_liquidity_after_usd == pytest.approx(0.0, abs=1e-6)


def test_a_short_that_covers_written_puts_is_bought_back_as_far_as_it_helps() -> None:
    # 1,500 short at 100 keep 30 each; ten written puts at 100 marked 15 ask 35 once uncovered.
    holdings = (shares(-1500), option("put", -10, 100.0, 15.0))
    account = at_hand(195_000.0 - 10_000.0, *holdings, funds=PLAIN)
    assert account.figures().excess_liquidity_usd == pytest.approx(-10_000.0)
    found = cure(account)
    assert (found.shares_to_trade, found.cures) == (334.0, True)


def test_a_fraction_of_a_share_goes_with_the_last_whole_one() -> None:
    # 2,505 short, 25 freed by a share: 100.2, and only 100.5 are held.
    account = at_hand(-10_042.5, shares(100.5), funds=PLAIN)
    found = cure(account)
    assert (found.shares_to_trade, found.cures) == (100.5, True)
    assert found.excess_liquidity_after_usd == pytest.approx(7.5)
    assert found.market_value_to_cut_usd == pytest.approx(10_020.0)


def test_less_than_a_share_is_sold_whole() -> None:
    assert cure(at_hand(-39.0, shares(0.5), funds=PLAIN)).shares_to_trade == 0.5


def test_a_fund_that_is_not_held_cures_nothing() -> None:
    funds = {"BULL": fund(100.0), "OTHER": fund(50.0)}
    account = at_hand(-60_000.0, shares(1000), funds=funds)
    assert cure_with(account, account.place("OTHER")) == Cure(0.0, -35_000.0, 0.0, 0.0, cures=False)
