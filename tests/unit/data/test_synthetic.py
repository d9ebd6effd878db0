import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from levsleeve.data.library import Library
from levsleeve.data.prices import PriceTable, Provenance
from levsleeve.data.synthetic import synthetic_prices
from levsleeve.errors import DataError
from levsleeve.instruments.fund import Fund, parse_fund

HAND = Provenance("hand", "typed once", "typed")


def index(*closes: float, **columns: list[float]) -> PriceTable:
    sessions = pd.bdate_range("2020-01-01", periods=len(closes)).as_unit("us").rename("session")
    frame = pd.DataFrame({"close": np.array(closes)}, index=sessions)
    for name in ("open", "high", "low"):
        frame[name] = columns.get(name, frame["close"])
    return PriceTable("SP500", "index", frame.assign(volume=0.0, dividend=0.0, split=1.0), HAND)


def fund(multiple: float) -> Fund:
    return Fund("XYZ", "SP500", multiple)


def no_rate(table: PriceTable) -> "pd.Series[float]":
    return pd.Series(0.0, index=table.sessions)


def made(multiple: float, table: PriceTable) -> PriceTable:
    return synthetic_prices(fund(multiple), table, no_rate(table))


def test_a_fund_starts_at_a_hundred_dollars_and_multiplies_the_days_return() -> None:
    table = made(3.0, index(1000.0, 1010.0, 999.9))
    assert table.close.tolist() == pytest.approx([100.0, 103.0, 103.0 * 0.97], rel=1e-14)
    assert table.kind == "as_traded"
    assert table.frame["dividend"].eq(0.0).all()


def test_a_session_accrues_the_rate_of_the_one_before_over_calendar_days() -> None:
    # Thursday, Friday, Monday: the weekend costs 2 turns of Friday's 3.65 % for 3 days.
    levels = index(1000.0, 1000.0, 1000.0, 1000.0)
    rates = pd.Series([0.0, 0.0, 0.0365, 0.5], index=levels.sessions)
    table = synthetic_prices(fund(3.0), levels, rates)
    assert table.total_returns().tolist() == pytest.approx([0.0, 0.0, 0.0, -0.0006], abs=1e-15)


def test_expense_drag_and_spread_all_accrue() -> None:
    levels = index(1000.0, 1000.0)
    costly = Fund("XYZ", "SP500", 3.0, expense_ratio=0.0365, financing_spread=0.073, drag=0.0365)
    table = synthetic_prices(costly, levels, no_rate(levels))
    assert table.total_returns().iloc[1] == pytest.approx(-0.0006, abs=1e-15)


def test_a_dividend_of_the_index_is_earned_by_a_bull_and_paid_by_a_bear() -> None:
    levels = index(1000.0, 1000.0)
    levels.frame.loc[levels.sessions[1], "dividend"] = 10.0
    assert made(2.0, levels).close.iloc[1] == pytest.approx(102.0)
    assert made(-2.0, levels).close.iloc[1] == pytest.approx(98.0)


def test_a_bulls_extremes_follow_the_indexs() -> None:
    levels = index(1000.0, 1010.0, open=[1000.0, 1002.0], high=[1e3, 1020.0], low=[1e3, 990.0])
    row = made(3.0, levels).frame.iloc[1]
    assert row[["open", "high", "low", "close"]].tolist() == pytest.approx([100.6, 106, 97, 103])


def test_a_bears_low_is_the_indexs_high() -> None:
    levels = index(1000.0, 1010.0, open=[1000.0, 1002.0], high=[1e3, 1020.0], low=[1e3, 990.0])
    row = made(-3.0, levels).frame.iloc[1]
    assert row[["open", "high", "low", "close"]].tolist() == pytest.approx([99.4, 103, 94, 97])


def test_an_extreme_beyond_ruin_is_zero() -> None:
    levels = index(1000.0, 1000.0, low=[1000.0, 600.0])
    assert made(3.0, levels).frame["low"].tolist() == [100.0, 0.0]


def test_a_close_below_ten_dollars_brings_one_share_for_four() -> None:
    table = made(-3.0, index(1000.0, 1301.0, 1301.0, 1301.0))
    assert table.frame["split"].tolist() == [1.0, 1.0, 0.25, 1.0]
    assert table.close.tolist() == pytest.approx([100.0, 9.7, 38.8, 38.8])
    assert table.frame["open"].tolist() == pytest.approx([100.0, 9.7, 38.8, 38.8])
    assert table.total_returns().tolist() == pytest.approx([0.0, -0.903, 0.0, 0.0], abs=1e-12)


def test_a_close_above_four_hundred_dollars_brings_four_shares_for_one() -> None:
    table = made(3.0, index(1000.0, 2010.0, 2010.0))
    assert table.frame["split"].tolist() == [1.0, 1.0, 4.0]
    assert table.close.tolist() == pytest.approx([100.0, 403.0, 100.75])


@given(
    multiple=st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]),
    moves=st.lists(st.floats(-0.25, 0.25), min_size=1, max_size=60),
)
def test_splits_never_change_what_a_holder_earns(multiple: float, moves: list[float]) -> None:
    levels = index(*(1000.0 * np.cumprod([1.0, *(1.0 + move for move in moves)])))
    table = made(multiple, levels)
    model = multiple * levels.total_returns().to_numpy()
    assert np.abs(table.total_returns().to_numpy() - model).max() < 1e-12


def test_a_fund_at_zero_ends_and_says_when() -> None:
    table = made(3.0, index(1000.0, 1010.0, 600.0, 700.0))
    assert len(table.sessions) == 2
    assert table.provenance.notes == (
        "open, high and low are modelled: 1 + multiple x the index's own, from its last close; "
        "terminated: worth nothing on 2020-01-03, no rows from that session on"
    )


def test_the_index_itself_is_returned_as_it_is() -> None:
    levels = index(1000.0, 1010.0)
    assert synthetic_prices(parse_fund("SP500"), levels, no_rate(levels)) is levels


def test_a_session_without_a_bill_rate_is_refused() -> None:
    levels = index(1000.0, 1010.0, 1020.0)
    with pytest.raises(DataError) as caught:
        synthetic_prices(fund(3.0), levels, no_rate(levels).drop(levels.sessions[1]))
    assert str(caught.value) == (
        "XYZ: no bill rate on 1 sessions, first 2020-01-02; "
        "a rate for every session of SP500 is right"
    )


def test_twenty_years_of_a_bear_stay_between_ten_and_four_hundred_dollars(
    library: Library,
) -> None:
    table = library.prices("SPXU")
    reversed_on = table.sessions[table.frame["split"] == 0.25]
    assert table.close.between(8.0, 440.0).all()
    assert len(reversed_on) == 4
    assert (table.close.shift(1)[reversed_on] < 10.0).all()


def test_provenance_names_the_model_and_its_parameters(library: Library) -> None:
    provenance = library.prices("SP500?L=-2&E=0.9&SP=-0.1&D=0.2").provenance
    assert provenance.vendor == "levsleeve"
    assert provenance.retrieved == library.prices("SP500").provenance.retrieved
    assert provenance.request == (
        "daily-reset fund of SP500: multiple -2, a year on 365 days expense 0.009, drag 0.002, "
        "spread -0.001 per turn"
    )
