import pandas as pd
import pytest

from levsleeve.backtests.ledger import LedgerBuilder, identity_errors
from levsleeve.backtests.measures import Measures
from levsleeve.backtests.state import CASH, COMMISSION, new_account
from levsleeve.errors import LedgerError

SESSIONS = pd.DatetimeIndex(["2020-03-16", "2020-03-17"])


def measures(cash: float, equity: float) -> Measures:
    return Measures(cash, equity, equity, 0.0, 0.0, equity, 0.0, 1.0, 0.0, 0.0, 0.0)


BLANK = measures(0.0, 0.0)


def test_a_row_whose_flows_do_not_explain_the_change_of_equity_is_refused() -> None:
    account = new_account(1000.0, 1, 0)
    account.money[CASH] = 990.0
    account.flows[COMMISSION] = -9.0
    builder = LedgerBuilder(SESSIONS, ["UPRO"], [], 1000.0)
    with pytest.raises(LedgerError) as refused:
        builder.write(account, BLANK, measures(990.0, 990.0))
    assert str(refused.value) == (
        "ledger 2020-03-16: equity moved $-10.000000 but its flows make $-9.000000 "
        "(off by $1.000000, tolerance $0.000001)"
    )


def test_a_row_whose_parts_do_not_make_the_whole_is_refused() -> None:
    account = new_account(1000.0, 1, 0)
    account.book.shares[0], account.book.marks[0] = 1.0, 50.0
    builder = LedgerBuilder(SESSIONS, ["UPRO"], [], 1000.0)
    with pytest.raises(LedgerError) as refused:
        builder.write(account, BLANK, measures(1000.0, 1000.0))
    assert str(refused.value) == (
        "ledger 2020-03-16: equity is $1,000.000000 but cash and positions make $1,050.000000 "
        "(off by $50.000000, tolerance $0.000001)"
    )


def test_a_number_that_is_none_never_passes() -> None:
    account = new_account(1000.0, 1, 0)
    builder = LedgerBuilder(SESSIONS, ["UPRO"], [], 1000.0)
    with pytest.raises(LedgerError, match=r"off by \$nan"):
        builder.write(account, BLANK, measures(1000.0, float("nan")))


def test_the_identities_recomputed_from_the_columns_find_a_cent_that_is_missing() -> None:
    account = new_account(1000.0, 1, 0)
    builder = LedgerBuilder(SESSIONS, ["UPRO"], [], 1000.0)
    builder.write(account, BLANK, measures(1000.0, 1000.0))
    builder.write(account, BLANK, measures(1000.0, 1000.0))
    ledger = builder.frame()
    assert identity_errors(ledger, 1000.0).abs().to_numpy().max() == 0.0
    ledger["equity"] = ledger["equity"] + [0.0, 0.01]
    errors = identity_errors(ledger, 1000.0)
    assert errors.iloc[-1].to_list() == pytest.approx([0.01, 0.01])
