from datetime import date

import numpy as np
import pandas as pd
import pytest

from levsleeve.backtests.market import Market, build_market
from levsleeve.data.library import Library
from levsleeve.data.store import Store
from levsleeve.errors import DataError
from levsleeve.margin.rulebook import rulebook
from levsleeve.margin.schedule import SCALES_WITH_MULTIPLE

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
    for array in (market.tape.closes, market.tape.splits, market.opens, market.lows):
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
