import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from levsleeve.backtests.borrow import (
    BorrowEntry,
    BorrowTerms,
    borrow_by_session,
    borrow_line,
)
from levsleeve.errors import StudyError
from levsleeve.instruments.borrow_state import (
    BORROW_AVAILABLE,
    BORROW_RECALLED,
    BORROW_STATES,
    BORROW_UNAVAILABLE,
)
from levsleeve.margin.charges import BorrowRates
from levsleeve.strict_table import in_words

SESSIONS = pd.DatetimeIndex(
    ["2008-01-02", "2008-01-03", "2008-01-04", "2008-01-07", "2008-01-08", "2008-01-09"]
)
SYMBOLS = ("UPRO", "SPXU")
PLACEHOLDERS = (0.01, 0.04)
FILE = "borrow fees by date are a CSV file with the header date,rate,state"
NOWHERE = Path("no folder is read")


def january(day: int) -> date:
    return date(2008, 1, day)


def terms(*entries: BorrowEntry, folder: Path = NOWHERE) -> BorrowTerms:
    return borrow_by_session(entries, SYMBOLS, SESSIONS, PLACEHOLDERS, folder)


def of_file(folder: Path, text: str) -> BorrowTerms:
    """The terms where UPRO's stand in a file of this text."""
    (folder / "upro.csv").write_text(text, encoding="utf-8")
    return terms(BorrowEntry(fund="UPRO", file="upro.csv"), folder=folder)


# --- what holds on a session ---------------------------------------------------------------------


def test_without_entries_the_placeholders_hold_and_every_fund_is_available() -> None:
    rates, states = terms()
    np.testing.assert_array_equal(rates, [[0.01, 0.04]] * 6)
    np.testing.assert_array_equal(states, np.zeros((6, 2)))


def test_an_entry_holds_from_its_date_until_the_next_of_its_fund() -> None:
    rates, states = terms(
        BorrowEntry(fund="UPRO", since=january(3), rate=0.02),
        BorrowEntry(fund="UPRO", since=january(8), rate=0.30, state="unavailable"),
    )
    assert rates[:, 0].tolist() == [0.01, 0.02, 0.02, 0.02, 0.30, 0.30]
    assert states[:, 0].tolist() == [BORROW_AVAILABLE] * 4 + [BORROW_UNAVAILABLE] * 2
    assert rates[:, 1].tolist() == [0.04] * 6
    assert states[:, 1].tolist() == [BORROW_AVAILABLE] * 6


def test_an_entry_without_a_rate_keeps_the_rate_before_it() -> None:
    recalled = BorrowEntry(fund="SPXU", since=january(3), state="recalled")
    dearer = BorrowEntry(fund="SPXU", since=january(4), rate=0.25)
    scarce = BorrowEntry(fund="SPXU", since=january(8), state="unavailable")
    rates, states = terms(recalled, dearer, scarce)
    assert rates[:, 1].tolist() == [0.04, 0.04, 0.25, 0.25, 0.25, 0.25]
    assert states[:, 1].tolist() == [
        BORROW_AVAILABLE,
        BORROW_RECALLED,
        BORROW_AVAILABLE,
        BORROW_AVAILABLE,
        BORROW_UNAVAILABLE,
        BORROW_UNAVAILABLE,
    ]


def test_an_entry_between_sessions_holds_from_the_next_and_one_before_all_from_the_first() -> None:
    saturday = BorrowEntry(fund="UPRO", since=january(5), rate=0.02)
    long_ago = BorrowEntry(fund="SPXU", since=date(1999, 1, 4), rate=0.03)
    long_after = BorrowEntry(fund="SPXU", since=date(2020, 3, 16), rate=0.90)
    rates, _ = terms(saturday, long_ago, long_after)
    assert rates[:, 0].tolist() == [0.01, 0.01, 0.01, 0.02, 0.02, 0.02]
    assert rates[:, 1].tolist() == [0.03] * 6


def test_the_order_of_entries_does_not_matter() -> None:
    early = BorrowEntry(fund="UPRO", since=january(3), rate=0.02)
    late = BorrowEntry(fund="UPRO", since=january(8), rate=0.03, state="recalled")
    np.testing.assert_array_equal(terms(late, early), terms(early, late))


def test_a_rate_of_nothing_and_one_of_a_thousand_percent_are_rates() -> None:
    rates, _ = terms(
        BorrowEntry(fund="UPRO", since=january(3), rate=0),
        BorrowEntry(fund="UPRO", since=january(4), rate=10.0),
    )
    assert rates[:3, 0].tolist() == [0.01, 0.0, 10.0]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.none() | st.floats(0.0, 10.0),
            st.sampled_from(sorted(BORROW_STATES)),
        ),
        max_size=12,
        unique_by=lambda step: step[0],
    )
)
def test_steps_are_what_pandas_carries_forward(steps: list[tuple[int, float | None, Any]]) -> None:
    sessions = pd.bdate_range("2008-01-14", periods=15)
    days = [pd.Timestamp("2008-01-02") + pd.Timedelta(days=step[0]) for step in steps]
    entries = [
        BorrowEntry(fund="UPRO", since=day.date(), rate=rate, state=state)
        for day, (_, rate, state) in zip(days, steps, strict=True)
    ]
    told = pd.DataFrame(
        {
            "rate": [math.nan if step[1] is None else step[1] for step in steps],
            "state": [BORROW_STATES[step[2]] for step in steps],
        },
        index=pd.DatetimeIndex(days),
        dtype=np.float64,
    ).sort_index()
    every_day = told.reindex(told.index.union(sessions)).ffill().loc[sessions]
    rates, states = borrow_by_session(entries, ["UPRO"], sessions, [0.01], NOWHERE)
    assert rates[:, 0].tolist() == every_day["rate"].fillna(0.01).tolist()
    assert states[:, 0].tolist() == every_day["state"].fillna(BORROW_AVAILABLE).tolist()


# --- files ---------------------------------------------------------------------------------------


def test_a_file_says_what_its_rows_would_say_as_entries(tmp_path: Path) -> None:
    from_file = of_file(
        tmp_path,
        "date,rate,state\n"
        "2008-01-03,0.02,available\n"
        "2008-01-04, ,recalled\n"  # an empty rate keeps the one before
        "2008-01-08,0.035,unavailable\n"
        "\n",
    )
    by_entries = terms(
        BorrowEntry(fund="UPRO", since=january(3), rate=0.02),
        BorrowEntry(fund="UPRO", since=january(4), state="recalled"),
        BorrowEntry(fund="UPRO", since=january(8), rate=0.035, state="unavailable"),
    )
    np.testing.assert_array_equal(from_file, by_entries)


def test_a_file_may_be_without_states_or_without_rates(tmp_path: Path) -> None:
    rates, states = of_file(tmp_path, "date,rate\r\n2008-01-03,0.02\r\n2008-01-07,0.05\r\n")
    assert rates[:, 0].tolist() == [0.01, 0.02, 0.02, 0.05, 0.05, 0.05]
    assert not states.any()
    rates, states = of_file(tmp_path, "\ufeffdate,state\n2008-01-08,recalled")
    assert rates[:, 0].tolist() == [0.01] * 6
    assert states[:, 0].tolist() == [BORROW_AVAILABLE] * 4 + [BORROW_RECALLED] * 2


def test_a_file_and_entries_of_one_fund_make_one_series(tmp_path: Path) -> None:
    (tmp_path / "upro.csv").write_text("date,rate\n2008-01-03,0.02\n2008-01-08,0.05\n")
    rates, states = terms(
        BorrowEntry(fund="UPRO", file="upro.csv"),
        BorrowEntry(fund="UPRO", since=january(7), state="unavailable"),
        folder=tmp_path,
    )
    assert rates[:, 0].tolist() == [0.01, 0.02, 0.02, 0.02, 0.05, 0.05]
    assert states[:, 0].tolist() == [0.0, 0.0, 0.0, BORROW_UNAVAILABLE, 0.0, 0.0]


def test_only_the_file_of_a_fund_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("date,rate\n2008-01-03,0.02\n")
    (tmp_path / "b.csv").write_text("date,rate\n2008-01-04,0.09\n")
    rates, _ = terms(
        BorrowEntry(fund="SPXU", file="b.csv"),
        BorrowEntry(fund="UPRO", file="a.csv"),
        folder=tmp_path,
    )
    assert rates[:3].tolist() == [[0.01, 0.04], [0.02, 0.04], [0.02, 0.09]]


HEADER = "date,rate,state is right, without rate or without state if need be"
A_FRACTION = "a fraction a year from 0 to 10 is right, such as 0.04 for 4 %"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", f"the header is ''; {HEADER}"),
        ("2008-01-03,0.02\n", f"the header is '2008-01-03,0.02'; {HEADER}"),
        ("date\n2008-01-03\n", f"the header is 'date'; {HEADER}"),
        ("date;rate\n2008-01-03;0.02\n", f"the header is 'date;rate'; {HEADER}"),
        ("date,rate,state\n", f"a header without rows; {FILE}"),
        (
            'date,rate\n2008-01-03,"0.02\n',
            f"line 2: not CSV (unexpected end of data); {FILE}",
        ),
        (
            "date,rate\n2008-01-03,0.02,available\n",
            "line 2: 3 cells under 2 columns; one a column is right",
        ),
        (
            "date,rate\n\n2008-01-03\n",
            "line 3: 1 cells under 2 columns; one a column is right",
        ),
        (
            "date,rate\n01/03/2008,0.02\n",
            "line 2: date: '01/03/2008'; a date such as 2018-12-31 is right",
        ),
        (
            "date,rate\n20080103,0.02\n",
            "line 2: date: '20080103'; a date such as 2018-12-31 is right",
        ),
        ("date,rate\n,0.02\n", "line 2: date: ''; a date such as 2018-12-31 is right"),
        (
            "date,rate\n2008-01-03,0.02\n2008-01-04,2 %\n",
            "line 3: rate: '2 %'; a number such as 0.04 is right",
        ),
        ("date,rate\n2008-01-03,nan\n", f"line 2: rate: nan; {A_FRACTION}"),
        ("date,rate\n2008-01-03,-0.01\n", f"line 2: rate: -0.01; {A_FRACTION}"),
        ("date,rate\n2008-01-03,12.5\n", f"line 2: rate: 12.5; {A_FRACTION}"),
        (
            "date,state\n2008-01-03,gone\n",
            "line 2: state: 'gone'; available or unavailable or recalled is right",
        ),
        (
            "date,state\n2008-01-03,\n",
            "line 2: state: ''; available or unavailable or recalled is right",
        ),
        (
            "date,rate\n2008-01-04,0.02\n2008-01-03,0.02\n",
            "line 3: 2008-01-03 does not follow 2008-01-04; dates must rise",
        ),
        (
            "date,rate\n2008-01-03,0.02\n\n2008-01-04,0.02\n2008-01-04,0.03\n",
            "line 5: 2008-01-04 does not follow 2008-01-04; dates must rise",
        ),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused_by_line(
    tmp_path: Path, text: str, finding: str
) -> None:
    with pytest.raises(StudyError) as refused:
        of_file(tmp_path, text)
    assert str(refused.value) == f"{tmp_path / 'upro.csv'}: {finding}"


def test_a_file_that_is_missing_or_no_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"date,rate\n2008-01-03,\xe4\n")
    for name, finding in (("none.csv", "no such file"), ("latin.csv", "not UTF-8 text")):
        with pytest.raises(StudyError) as refused:
            terms(BorrowEntry(fund="UPRO", file=name), folder=tmp_path)
        assert str(refused.value) == f"{tmp_path / name}: {finding}; {FILE}"


# --- entries that are refused --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fund", "hint"),
    [("UPRX", "did you mean UPRO?"), ("TQQQ", "known are UPRO, SPXU")],
)
def test_a_fund_that_is_not_there_is_refused(fund: str, hint: str) -> None:
    with pytest.raises(StudyError) as refused:
        terms(BorrowEntry(fund=fund, since=january(3), rate=0.02))
    assert str(refused.value) == f"account.borrow: {fund}: no fund of that name; {hint}"


def test_two_entries_from_one_date_are_refused(tmp_path: Path) -> None:
    (tmp_path / "upro.csv").write_text("date,rate\n2008-01-03,0.02\n")
    first = BorrowEntry(fund="UPRO", since=january(3), rate=0.02)
    for second in (
        BorrowEntry(fund="UPRO", since=january(3), state="recalled"),
        BorrowEntry(fund="UPRO", file="upro.csv"),
    ):
        with pytest.raises(StudyError) as refused:
            terms(first, second, folder=tmp_path)
        assert str(refused.value) == (
            "account.borrow: UPRO has two entries from 2008-01-03; one from each date is right"
        )
    assert terms(first, first.model_copy(update={"fund": "SPXU"})).rates[1].tolist() == [0.02, 0.02]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": -0.01}, f"rate: -0.01; {A_FRACTION}"),
        ({"rate": 25}, f"rate: 25.0; {A_FRACTION}"),
        ({"rate": math.nan}, f"rate: nan; {A_FRACTION}"),
        ({"rate": math.inf}, f"rate: inf; {A_FRACTION}"),
        ({"rate": "0.02"}, "rate: '0.02'; a number is right"),
        ({"state": "gone"}, "state: 'gone'; 'available', 'unavailable' or 'recalled' is right"),
        ({"fund": ""}, "fund: ''; text in quotes is right"),
        ({"rates": 0.02}, "rates: unknown key; did you mean rate?"),
        (
            {"since": None},
            "since: missing; the date from which it holds, or a file, is right",
        ),
        (
            {"file": "upro.csv"},
            "file: 'upro.csv' beside since; a file brings dates, rates and states of its own",
        ),
    ],
)
def test_a_key_that_is_wrong_is_named_with_what_would_be_right(
    changes: dict[str, Any], message: str
) -> None:
    table = {"fund": "UPRO", "since": january(3)} | changes
    with pytest.raises(ValidationError) as refused:
        BorrowEntry.model_validate(table)
    assert in_words(refused.value, BorrowEntry) == message


@pytest.mark.parametrize("key", ["rate", "state"])
def test_a_file_takes_no_rate_and_no_state_beside_it(key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        BorrowEntry.model_validate(
            {"fund": "UPRO", "file": "upro.csv", key: 0.1 if key == "rate" else "available"}
        )
    assert in_words(refused.value, BorrowEntry) == (
        f"file: 'upro.csv' beside {key}; a file brings dates, rates and states of its own"
    )


# --- in words ------------------------------------------------------------------------------------

ASSUMED = "assumed 1.5 % a year for bulls, 4 % for inverse funds"


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        ([], ASSUMED),
        (
            [BorrowEntry(fund="UPRO", since=date(2009, 5, day), rate=0.1) for day in (27, 26, 25)],
            f"UPRO by date (3 entries from 2009-05-25); otherwise {ASSUMED}",
        ),
        (
            [
                BorrowEntry(fund="SPXU", file="spxu.csv"),
                BorrowEntry(fund="UPRO", file="upro.csv"),
                BorrowEntry(fund="UPRO", since=date(2009, 5, 25), state="recalled"),
            ],
            "SPXU by date (spxu.csv); UPRO by date (1 entry from 2009-05-25, upro.csv); "
            f"otherwise {ASSUMED}",
        ),
    ],
)
def test_the_assumptions_say_what_is_by_date_and_what_is_assumed(
    entries: list[BorrowEntry], line: str
) -> None:
    assert borrow_line(entries, BorrowRates(bull_rate=0.015, inverse_rate=0.04)) == line
