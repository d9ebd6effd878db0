import json
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from tests.unit.what_if.accounts import account, shares

from levsleeve.errors import AccountError
from levsleeve.what_if.reading import read_account, read_bytes


def refused(raw: bytes) -> str:
    with pytest.raises(AccountError) as error:
        read_bytes(raw, "mine.json")
    message = str(error.value)
    assert message.startswith("mine.json: ")
    return message.removeprefix("mine.json: ")


# --- ways to give an account ---------------------------------------------------------------------


def test_a_file_gives_the_snapshot_its_path_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(account(-5.0, shares(10))), encoding="utf-8")
    for given in (path, str(path)):
        reading = read_account(given)
        assert (reading.subject, reading.folder) == (str(path), tmp_path)
        assert reading.snapshot.cash_usd == -5.0


def test_a_mapping_gives_the_same_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(account(-5.0, shares(10))), encoding="utf-8")
    reading = read_account(MappingProxyType(OrderedDict(account(-5.0, shares(10)))))
    assert (reading.subject, reading.folder) == ("account", None)
    assert reading.snapshot == read_account(path).snapshot


def test_a_mapping_may_hold_dates_and_numbers_of_other_libraries() -> None:
    written = account(np.float64(-5.0), shares(10), date=date(2019, 6, 3))
    written["holdings"][0]["shares"] = np.int64(10)
    assert read_account(written).snapshot == read_account(account(-5.0, shares(10))).snapshot


def test_what_else_a_mapping_holds_is_taken_as_text() -> None:
    assert read_account(account(0.0, profile=Path("mine.toml"))).snapshot.profile == "mine.toml"
    with pytest.raises(AccountError) as error:
        read_account(account(0.0, special_memorandum_account_usd=Decimal(5)))
    assert str(error.value) == ("account: special_memorandum_account_usd: '5'; a number is right")


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    raw = b"\xef\xbb\xbf" + json.dumps(account(1.0)).encode()
    assert read_bytes(raw, "mine.json").snapshot.cash_usd == 1.0


# --- what is no file, and what is no JSON --------------------------------------------------------


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.json"
    with pytest.raises(AccountError) as absent:
        read_account(missing)
    assert str(absent.value) == f"{missing}: no such file; an account snapshot is a JSON file"
    with pytest.raises(AccountError) as folder:
        read_account(tmp_path)
    assert str(folder.value) == f"{tmp_path}: a folder; an account snapshot is a JSON file"
    endless = tmp_path / ("x" * 300)
    with pytest.raises(AccountError) as unreadable:
        read_account(endless)
    assert str(unreadable.value) == (
        f"{endless}: cannot be read (File name too long); an account snapshot is a JSON file"
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not JSON: Expecting value at line 1, column 1"),
        (b'{"date": }', "not JSON: Expecting value at line 1, column 10"),
        (b"{'date': 1}", "not JSON: Expecting property name enclosed in double quotes at line 1, "
         "column 2"),
        (b"[" * 200_000, "not JSON: nested too deeply"),
        (b'{"a":' * 300 + b"1" + b"}" * 300,
         "not JSON: recursion limit exceeded at line 1 column 1006"),
        (b"\xff\xfe", "not UTF-8 text; an account snapshot is a JSON file"),
        (b"[]", "[]; a table is right"),
        (b"5", "5; a table is right"),
        (b"null", "None; a table is right"),
    ],
)  # fmt: skip
def test_what_is_no_table_in_json_is_refused(raw: bytes, message: str) -> None:
    assert refused(raw) == message


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    written = '{"date": "2019-06-03", "cash_usd": ' + "9" * 5000 + "}"
    assert refused(written.encode()) == "not JSON: number out of range at line 1 column 4337"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{"cash_usd": 1, "cash_usd": 2}', "cash_usd: given twice; once is right"),
        (
            '{"funds": {"UPRO": {"price_usd": 80}, "UPRO": {"price_usd": 81}}}',
            "UPRO: given twice; once is right",
        ),
        (
            '{"holdings": [{"fund": "UPRO", "shares": 1, "shares": 2}]}',
            "shares: given twice; once is right",
        ),
        (
            '{"funds": {"UP\\u001b[31m": {"price_usd": 80}}}',
            "'UP\\x1b[31m': a key without control characters is right",
        ),
        (
            '{"holdings": [{"fund": "UP\\nRO"}]}',
            "fund: 'UP\\nRO'; text without control characters is right",
        ),
    ],
)
def test_what_would_be_read_wrongly_in_silence_is_refused(document: str, message: str) -> None:
    assert refused(document.encode()) == message


# --- what is no snapshot -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"cash": 1.0}, "cash: unknown key; did you mean cash_usd?"),
        ({"cash_usd": "1"}, "cash_usd: '1'; a number is right"),
        ({"cash_usd": float("-inf")}, "cash_usd: -inf; a finite number is right"),
        ({"cash_usd": 1e308}, "cash_usd: 1e+308; a number of at most 1e+12 is right"),
        ({"cash_usd": -1e308}, "cash_usd: -1e+308; a number of at least -1e+12 is right"),
        ({"date": "yesterday"}, "date: 'yesterday'; a date such as \"2018-12-31\" is right"),
        ({"date": "2019-06-03T12:00"}, "date: '2019-06-03T12:00'; a date such as \"2018-12-31\" "
         "is right"),
        ({"holdings": {}}, "holdings: {}; a list is right"),
        ({"funds": []}, "funds: []; a table is right"),
        ({"funds": {"UPRO": 80.0}}, "funds.UPRO: 80.0; a table is right"),
        ({"profile": 5}, "profile: 5; text in quotes is right"),
        ({"index_direction": "sideways"}, "index_direction: 'sideways'; 'down' or 'up' is right"),
        ({"volatility_index": 0}, "volatility_index: 0; a number above 0 is right"),
        ({"policy": {"relief": "finra"}}, "policy.relief: unknown key; did you mean hedge_relief?"),
        ({"policy": {"hedge_relief": "some"}},
         "policy.hedge_relief: 'some'; 'none' or 'finra' is right"),
        ({"policy": {"margin_mode": "portfolio", "hedge_relief": "finra"}},
         "policy.hedge_relief: finra contradicts margin_mode portfolio, which knows no such rule; "
         "margin_mode strategy is right"),
        ({"policy": {"margin_mode": "cash", "flat_rate": 0.5}},
         "policy.flat_rate: 0.5 contradicts margin_mode cash, which knows no such rule; "
         "margin_mode strategy is right"),
        ({"policy": {"margin_mode": "cash", "house": {"kind": "rate"}}},
         "policy.house: an overlay contradicts margin_mode cash, which knows no such rule; "
         "margin_mode strategy is right"),
        ({"policy": {"flat_rate": 0.5, "house": {"kind": "rate"}}},
         "policy.flat_rate: 0.5 replaces the rulebook that house overlays; "
         "one of the two is right"),
        ({"order": {"fund": "UPRO"}},
         "order.action: exactly one of action (buy, sell: is it accepted?) and side (long, short: "
         "how many?) is right"),
        ({"order": {"fund": "UPRO", "action": "buy", "side": "long", "shares": 1}},
         "order.action: exactly one of action (buy, sell: is it accepted?) and side (long, short: "
         "how many?) is right"),
        ({"order": {"fund": "UPRO", "action": "buy"}},
         "order.shares: missing; an order to buy or sell says how many"),
        ({"order": {"fund": "UPRO", "action": "hold", "shares": 1}},
         "order.action: 'hold'; 'buy' or 'sell' is right"),
        ({"order": {"fund": "UPRO", "action": "buy", "share": 1}},
         "order.share: unknown key; did you mean shares?"),
    ],
)  # fmt: skip
def test_a_snapshot_that_is_wrong_names_the_key(keys: dict[str, Any], message: str) -> None:
    assert refused(json.dumps({**account(0.0), **keys}).encode()) == message


@pytest.mark.parametrize("key", ["date", "cash_usd"])
def test_a_snapshot_needs_a_date_and_cash(key: str) -> None:
    written = account(0.0)
    del written[key]
    assert refused(json.dumps(written).encode()) == f"{key}: missing; this key is required"
