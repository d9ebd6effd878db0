"""What a call takes from an account that holds shares at one close, through the compiled step."""

from datetime import date

import numpy as np
import pytest
from tests.end_to_end.accounts import FREE, market_of

from levsleeve.backtests.event_kinds import LIQUIDATED
from levsleeve.backtests.forced import maintenance_test
from levsleeve.backtests.marks import mark
from levsleeve.backtests.measures import excess_liquidity
from levsleeve.backtests.state import CASH, Account, Terms, new_account
from levsleeve.backtests.tape import Tape
from levsleeve.margin.charges import commission_plan
from levsleeve.margin.rulebook import rulebook
from levsleeve.pricing.black_scholes import CALL, PUT

# 2 % of value, 0.005 a share (at least 1.00), and on a sale of January 2025 27.80 dollars a million
# and 0.000166 a share.
COSTLY = FREE._replace(
    fund_spread_rates=np.array([0.005]),
    liquidation_penalty_rate=0.015,
    commission=commission_plan("ibkr_fixed"),
)


def called(
    symbol: str, shares: float, price: float, deficiency: float, terms: Terms = FREE
) -> tuple[float, float]:
    """Shares that a call trades, and the excess liquidity that it leaves."""
    tape = market_of({symbol: [price] * 2}, start="2025-01-15", fees=terms is not FREE).tape
    account = account_short_of(tape, shares, deficiency, terms)
    maintenance_test(account, tape, 0, terms, excess_liquidity(account, tape, 0))
    return account.book.shares[0] - shares, excess_liquidity(account, tape, 0)


def account_short_of(tape: Tape, shares: float, deficiency: float, terms: Terms) -> Account:
    """An account whose excess liquidity is minus ``deficiency``."""
    account = new_account(0.0, 1, 2)
    mark(account, tape, 0, terms.volatility)
    account.book.shares[0] = shares
    account.money[CASH] = -excess_liquidity(account, tape, 0) - deficiency
    return account


@pytest.mark.parametrize(
    ("deficiency", "traded", "left"),
    [
        # Each of 96 shares frees 25 and costs 2 % of 100: 2,208.  Less 1.00 of commission, 0.26688
        # of Section 31 (27.80 a million of 9,600) and 0.015936 of activity fee: 2,206.717184.
        # With 95 shares only 2,185 less 1.27987.
        (2_200.0, -96.0, 6.717184),
        (2_206.717, -96.0, 0.000184),
        (2_206.718, -97.0, 22.996238),
        # 299 shares gain 299 x 23 less 1.495, 0.83122 and 0.049634.
        (6_874.624, -299.0, 0.000146),
        (6_874.625, -300.0, 22.991203),
    ],
)
def test_a_sale_by_force_pays_for_its_costs_to_the_last_share(
    deficiency: float, traded: float, left: float
) -> None:
    answer = called("SP500", 300.0, 100.0, deficiency, COSTLY)
    assert answer == pytest.approx((traded, left), abs=1e-5)


@pytest.mark.parametrize(
    ("deficiency", "traded", "left"),
    [
        # 299 shares bought back free 30 and cost 2 each: 8,372 less 1.495, and no fees of a sale.
        (8_370.504, 299.0, 0.001),
        (8_370.506, 300.0, 27.994),
    ],
)
def test_a_purchase_by_force_pays_no_fees_of_a_sale(
    deficiency: float, traded: float, left: float
) -> None:
    answer = called("SP500", -300.0, 100.0, deficiency, COSTLY)
    assert answer == pytest.approx((traded, left), abs=1e-5)


@pytest.mark.parametrize("deficiency", [2_000.0, 7_500.0, 9_000.0])
def test_all_shares_go_when_trading_costs_more_than_it_frees(deficiency: float) -> None:
    dear = FREE._replace(liquidation_penalty_rate=0.30)
    assert called("SP500", 300.0, 100.0, deficiency, dear)[0] == -300.0


@pytest.mark.parametrize("deficiency", [7_500.0, 7_500.01, 9_000.0])
def test_all_shares_go_when_no_fewer_cure(deficiency: float) -> None:
    assert called("SP500", 300.0, 100.0, deficiency)[0] == -300.0


@pytest.mark.parametrize(
    ("deficiency", "traded"),
    [(99.0, 10.0), (100.0, 10.0), (100.1, 10.5), (105.0, 10.5), (106.0, 10.5)],
)
def test_a_fraction_of_a_share_goes_with_the_last_one(deficiency: float, traded: float) -> None:
    # Ten shares and a half of a 4x fund at 10 dollars, each frees all of them.
    assert called("SP500?L=4", 10.5, 10.0, deficiency)[0] == -traded


@pytest.mark.parametrize("deficiency", [0.0, -100.0, 1e-10])
def test_an_account_in_order_trades_nothing(deficiency: float) -> None:
    assert called("UPRO", 300.0, 100.0, deficiency)[0] == 0.0


# --- hedged shares -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "right", "deficiency", "traded"),
    [
        # Long 1,000 of a 3x fund at 100, six puts at 90: 400 free shares release 75 each, the
        # covered ones 19.
        (1.0, PUT, 7_500.0, 100.0),
        (1.0, PUT, 30_000.0, 400.0),
        (1.0, PUT, 30_000.01, 401.0),
        (1.0, PUT, 30_190.0, 410.0),
        (1.0, PUT, 41_400.0, 1_000.0),
        # Short 1,000 of it, six calls at 110: 90 each, and 11 + 10.
        (-1.0, CALL, 36_000.0, 400.0),
        (-1.0, CALL, 36_001.0, 401.0),
        (-1.0, CALL, 36_210.0, 410.0),
    ],
)
def test_shares_that_no_option_covers_go_first(
    side: float, right: float, deficiency: float, traded: float
) -> None:
    market = market_of({"UPRO": [100.0] * 2}, book=rulebook(switches={"hedge_relief": "finra"}))
    account = account_short_of(market.tape, side * 1_000.0, 0.0, FREE)
    account.book.contracts[1], account.book.multipliers[1] = 6.0, 100.0
    account.book.strikes[1] = 90.0 if right == PUT else 110.0
    account.book.rights[1], account.book.expiries[1] = right, date(2019, 9, 20).toordinal()
    account.money[CASH] -= excess_liquidity(account, market.tape, 0) + deficiency
    assert maintenance_test(
        account, market.tape, 0, FREE, excess_liquidity(account, market.tape, 0)
    )
    assert account.book.shares[0] == side * (1_000.0 - traded)
    assert excess_liquidity(account, market.tape, 0) >= -1e-9
    assert account.events[1, 0] == LIQUIDATED
    assert account.book.contracts[1] == 6.0  # worth nothing here, and never sold before the shares


def test_hedged_shares_stay_while_another_fund_has_shares_that_free_more() -> None:
    # A 3x and a 2x fund of 1,000 shares each at 100, 900 of the first under puts struck at 90.  Its
    # 100 free ones release 75 each, those of the other 50, hedged ones 19: 100 x 75 + 50 x 50.
    flat = [100.0] * 2
    tape = market_of(
        {"UPRO": flat, "SSO": flat}, book=rulebook("finra", {"hedge_relief": "finra"})
    ).tape
    account = new_account(0.0, 2, 1)
    mark(account, tape, 0, FREE.volatility)
    account.book.shares[:] = 1_000.0
    account.book.contracts[0], account.book.multipliers[0], account.book.strikes[0] = (
        9.0,
        100.0,
        90.0,
    )
    account.book.expiries[0], account.book.rights[0] = tape.dates[0] + 30.0, PUT
    account.money[CASH] = -excess_liquidity(account, tape, 0) - 10_000.0
    assert maintenance_test(account, tape, 0, FREE, excess_liquidity(account, tape, 0))
    assert account.book.shares.tolist() == [900.0, 950.0]
    assert excess_liquidity(account, tape, 0) == pytest.approx(0.0, abs=1e-6)
