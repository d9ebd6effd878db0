"""A fund of bills: what it earns, and what it is not."""

import numpy as np
import pytest

from levsleeve.data.library import Library
from levsleeve.errors import StudyError
from levsleeve.instruments.fund import parse_fund
from levsleeve.strategies.sleeve import Holding, InverseLayer, ProtectivePut, Sleeve


def test_bills_earn_the_bill_rate_of_the_close_before_on_calendar_days(library: Library) -> None:
    table, rates = library.prices("BILLS"), library.bill()
    days = np.diff(table.sessions.to_numpy()) / np.timedelta64(1, "D")
    earned = np.cumprod(1.0 + rates.to_numpy()[:-1] * days / 365.0)
    worth = np.cumprod(1.0 + table.total_returns().to_numpy())
    np.testing.assert_allclose(worth[1:], earned, rtol=1e-12)
    assert table.close.iloc[0] == 100.0
    assert worth[-1] == pytest.approx(1.42, abs=0.02)  # bills of 1999 to 2018: 1.8 % a year


def test_bills_are_not_leveraged_and_have_no_index_exposure() -> None:
    bills = parse_fund("BILLS")
    assert (bills.multiple, bills.running_cost_rate, bills.is_leveraged) == (0.0, 0.0, False)
    sleeve = Sleeve((Holding("UPRO", 0.3), Holding("BILLS", 0.6)), cap=0.3)
    assert sleeve.leveraged_weight == 0.3


def test_bills_hedge_nothing_and_have_no_options() -> None:
    with pytest.raises(StudyError) as refused:
        Sleeve((Holding("UPRO", 0.3),), cap=0.3, hedge=InverseLayer("BILLS", 0.5)).targets  # noqa: B018
    assert str(refused.value) == (
        "BILLS: an inverse layer moves against the sleeve, but both move the same way; "
        "a fund of the opposite multiple is right"
    )
    with pytest.raises(StudyError) as refused:
        Sleeve((Holding("BILLS", 0.3),), cap=0.3, hedge=ProtectivePut("BILLS"))
    assert str(refused.value) == "BILLS: no options are listed on bills; a fund or index is right"
