from datetime import date

import numpy as np
import pandas as pd
import pytest

from levsleeve.backtests.market import Market, build_market
from levsleeve.compiled import Floats
from levsleeve.data.library import Library
from levsleeve.data.store import Store
from levsleeve.errors import DataError
from levsleeve.margin.house import LONG_RATE, NO_OVERLAY, SHORT_RATE
from levsleeve.margin.requirement import maintenance_per_share
from levsleeve.margin.rulebook import rulebook
from levsleeve.margin.schedule import BROAD, SCALES_WITH_MULTIPLE

SPAN = (date(2008, 1, 2), date(2009, 12, 31))


@pytest.fixture(scope="module")
def library(price_cache: object) -> Library:
    return Library(Store(price_cache))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def market(library: Library) -> Market:
    return build_market(library, ["UPRO", "SPXU"], SPAN, rulebook())


def test_arrays_have_one_row_a_session_and_one_column_a_fund(market: Market) -> None:
    shape = (len(market.sessions), 2)
    assert market.symbols == ("UPRO", "SPXU")
    for array in (market.tape.closes, market.tape.splits, market.tape.opens, market.tape.lows):
        assert array.shape == shape
    assert market.tape.multiples[0].tolist() == [3.0, -3.0]


def test_days_are_calendar_days_since_the_session_before(market: Market) -> None:
    # 2008-01-02 was a Wednesday; the weekend follows the 4th, Martin Luther King day is the 21st.
    assert market.tape.days[:4].tolist() == [0.0, 1.0, 1.0, 3.0]
    assert market.tape.days[market.sessions.get_loc("2008-01-22")] == 4.0


def test_each_sessions_own_rules_change_on_the_first_of_december_2009(market: Market) -> None:
    scales = market.tape.rules[:, SCALES_WITH_MULTIPLE]
    first = market.sessions.get_loc("2009-12-01")
    assert not scales[:first].any()
    assert scales[first:].all()


def test_a_fixed_date_freezes_the_rules_of_every_session(library: Library) -> None:
    market = build_market(library, ["UPRO"], SPAN, rulebook(rules_as_of=date(2010, 4, 30)))
    assert market.tape.rules[:, SCALES_WITH_MULTIPLE].all()
    assert np.unique(market.tape.sale_fees[:, 0]) == pytest.approx([16.9e-6])


def test_funds_move_by_their_multiple_of_the_index_on_its_worst_day(market: Market) -> None:
    closes, splits = market.tape.closes, market.tape.splits
    returns = closes[1:] * splits[1:] / closes[:-1] - 1.0
    moves = returns[market.sessions[1:] == pd.Timestamp("2008-10-15")][0]
    # the index fell 9.03 %; dividends and carry add a few basis points
    assert moves.tolist() == pytest.approx([-0.271, 0.271], abs=0.002)


def test_bills_earn_the_rate_known_the_session_before(market: Market) -> None:
    expected = market.tape.bill_rates[:-1] * market.tape.days[1:] / 365.0
    assert market.bill_returns.iloc[0] == 0.0
    np.testing.assert_allclose(market.bill_returns.to_numpy()[1:], expected)


def test_a_fund_that_ended_before_the_study_is_refused(library: Library) -> None:
    with pytest.raises(DataError) as refused:
        build_market(library, ["SP500?L=12"], SPAN, rulebook())
    assert str(refused.value) == (
        "SP500?L=12: no price on 318 sessions of the study, first 2008-09-29; "
        "its prices span 1999-01-04 to 2008-09-26"
    )


# --- what the house asks, by session --------------------------------------------------------------


def test_a_house_that_asks_nothing_asks_it_on_every_session(market: Market) -> None:
    assert market.tape.overlays.shape == (len(market.sessions), 2, len(NO_OVERLAY))
    assert (market.tape.overlays == NO_OVERLAY).all()


def test_a_dated_house_rate_begins_on_its_session_for_the_funds_it_names(library: Library) -> None:
    # TD Ameritrade: 30 % a turn from 1 December 2009, for funds above 1x.
    market = build_market(library, ["UPRO", "SP500", "SDS"], SPAN, rulebook("td_2010"))
    first = market.sessions.get_loc("2009-12-01")
    rates = market.tape.overlays[:, :, [LONG_RATE, SHORT_RATE]]
    assert not rates[:first].any()
    np.testing.assert_allclose(
        rates[first:],
        np.broadcast_to([[0.9, 0.9], [0.0, 0.0], [0.6, 0.6]], rates[first:].shape),
        rtol=1e-12,
    )


def test_a_frozen_rulebook_freezes_its_house_too(library: Library) -> None:
    frozen = rulebook("td_2010", rules_as_of=date(2010, 4, 30))
    rates = build_market(library, ["UPRO"], SPAN, frozen).tape.overlays[:, 0, LONG_RATE]
    assert np.unique(rates).tolist() == [pytest.approx(0.9)]


def long_rates(market: Market) -> Floats:
    """The long maintenance rate of every fund on every session, house and all."""
    tape = market.tape
    rates = [
        [
            maintenance_per_share(100.0, multiple, False, BROAD, tape.overlays[t, i], rules)  # noqa: FBT003
            for i, multiple in enumerate(tape.multiples[t])
        ]
        for t, rules in enumerate(tape.rules)
    ]
    return np.array(rates) / 100.0


def test_a_house_that_watches_volatility_sees_that_of_the_session_before(library: Library) -> None:
    market = build_market(library, ["UPRO"], SPAN, rulebook("house_volatility"))
    asked = long_rates(market)[:, 0]
    assert asked[0] == 0.25  # nothing is known yet
    # What was known then, and not the stand-in's level, which is the mean of the whole year.
    seen = library.volatility("SP500")["seen"].reindex(market.sessions).to_numpy()[:-1] / 100.0
    rule_rate = np.where(market.sessions[1:] >= pd.Timestamp("2009-12-01"), 0.75, 0.25)
    expected = np.minimum(1.0, rule_rate * (1.0 + 0.5 * np.maximum(0.0, seen - 0.20) / 0.20))
    np.testing.assert_allclose(asked[1:], expected, rtol=1e-12)
    assert asked.max() > 0.6


def test_a_house_that_watches_the_reset_trade_sees_the_session_before(library: Library) -> None:
    market = build_market(library, ["UPRO", "SPXU"], SPAN, rulebook("house_flow"))
    asked = long_rates(market)
    assert asked[0].tolist() == [0.25, 0.25]
    # On 15 October 2008 the index fell by 9.03 %: a 3x fund trades 54.2 % of its assets, eight
    # times 6 % above it, and asks 0.25 (1 + 0.2 x 8.03); a -3x fund twice that, and 100 %.
    on = pd.Series(asked.tolist(), index=market.sessions)
    assert on["2008-10-16"] == pytest.approx([0.6517, 1.0], abs=2e-3)
    # -0.53 % on the 14th: 3.2 and 6.4 % of assets.
    assert on["2008-10-15"] == pytest.approx([0.25, 0.25 * (1.0 + 0.2 * 0.4 / 6.0)], abs=1e-3)
