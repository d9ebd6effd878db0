"""``levsleeve margin`` from the outside: what it prints, and how it ends on bad input."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import levsleeve
from levsleeve.cli.app import app

ACCOUNT: dict[str, Any] = {
    "date": "2026-05-01",
    "cash_usd": -20_000.0,
    "funds": {
        "UPRO": {"price_usd": 80.0},
        "BULL2": {"multiple": 2, "price_usd": 50.0, "benchmark": "broad_based"},
    },
    "holdings": [
        {"fund": "UPRO", "side": "long", "shares": 1000},
        {"fund": "BULL2", "side": "short", "shares": 200},
        {
            "option": "put", "fund": "UPRO", "side": "long", "contracts": 10, "strike_usd": 72.0,
            "price_usd": 2.5, "expiry_date": "2026-06-19",
        },
    ],
    "policy": {"hedge_relief": "finra"},
}  # fmt: skip
"""Equity 50,000; a hedged share keeps 15.20 (a tenth of 72, and 8), the short 60 % of 10,000."""

UNHEDGED = ACCOUNT | {"policy": {}}


def written(folder: Path, account: object) -> Path:
    path = folder / "mine.json"
    path.write_text(json.dumps(account), encoding="utf-8")
    return path


def margin(*words: object, given: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["margin", *(str(word) for word in words)], input=given)


def page(account: dict[str, Any]) -> str:
    result = margin("-", given=json.dumps(account))
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def row(text: str, name: str, under: str = "positions") -> list[str]:
    """The cells beside ``name`` in the table of that title."""
    table = text[text.index(under) :]
    rows = [line.strip("│").split("│") for line in table.splitlines() if line.startswith("│")]
    found = next(cells for cells in rows if cells[0].strip() == name)
    return [cell.strip() for cell in found[1:]]


# --- the page ------------------------------------------------------------------------------------


def test_the_headline_names_the_day_the_broker_and_what_is_left() -> None:
    assert page(ACCOUNT).splitlines()[0] == (
        "2026-05-01, profile finra: excess liquidity $28,800.00"
    )
    assert (
        page(UNHEDGED).splitlines()[0] == "2026-05-01, profile finra: MARGIN CALL: $16,000.00 short"
    )
    frozen = page({**ACCOUNT, "date": "2009-06-01", "rules_as_of": "2010-04-30", "holdings": []})
    assert frozen.splitlines()[0] == (
        "2009-06-01, profile finra, rules of 2010-04-30: MARGIN CALL: $20,000.00 short"
    )


def test_the_headline_quantities_stand_two_to_a_row() -> None:
    shown = [" ".join(line.split()) for line in page(ACCOUNT).splitlines()[1:6]]
    assert shown == [
        "net liquidation $52,500.00 equity with loan value $50,000.00",
        "long market value $80,000.00 short market value $10,000.00",
        "maintenance margin $21,200.00 initial margin $66,000.00",
        "excess liquidity $28,800.00 available funds -$16,000.00",
        "utilization (maintenance / equity with loan value) 42.4% "
        "cushion (excess liquidity / net liquidation) 54.9%",
    ]


def test_every_position_has_a_row_with_its_rule() -> None:
    text = page(UNHEDGED)
    assert row(text, "long 1000 UPRO") == [
        "$80,000.00", "$60,000.00", "75.0%", "25% x 3 = 75.0% of value",
    ]  # fmt: skip
    assert row(text, "long 10 UPRO 2026-06-19 72 put") == [
        "$2,500.00", "$0.00", "0.0%", "paid in full, lends nothing",
    ]  # fmt: skip
    assert row(text, "short 200 BULL2") == [
        "-$10,000.00", "$6,000.00", "60.0%", "30% x 2 = 60.0% of value",
    ]  # fmt: skip
    assert "FINRA Regulatory Notice 09-53" in text


def test_the_account_is_shown_under_house_rates_and_after_expiry() -> None:
    text, title = page(ACCOUNT), "the one-day index move"
    # Past the strike a hedged share keeps 7.20, and the fund falls by 3 x, the short by 2 x:
    # 80,000 (1 - 3 x) - 7,200 - 20,000 - 16,000 (1 - 2 x) = 0.
    down = f"-{36_800 / 208_000:.2%}"
    assert row(text, "now", title) == ["$21,200.00", "$28,800.00", "42.4%", down, "-"]
    assert row(text, "options repriced (modelled)", title) == ["", "", "", down, "-"]
    assert row(text, "house rate 60%", title) == row(text, "now", title)
    dearer = row(text, "house rate 100%", title)
    assert dearer[:3] == ["$25,200.00", "$24,800.00", "50.4%"]
    # 20,000 (1 + 3 x) - 20,000 - 16,000 (1 + 2 x) = 0.
    assert row(text, "after the options expire", title) == [
        "$66,000.00", "-$16,000.00", "132.0%", "-", f"+{16_000 / 28_000:.2%} cures",
    ]  # fmt: skip


def test_a_call_is_shown_with_what_cures_it() -> None:
    # 16,000 over 60 a share of UPRO; 200 of the short free no more than 6,000.
    text, title = page(UNHEDGED), "shares to trade towards zero"
    assert row(text, "now", title) == ["267", "all 200 do not"]
    assert row(text, "after the options expire", title) == ["267", "all 200 do not"]
    assert "UPRO alone: a call ends at 144.0000 dollars (+80.00%)" in text.splitlines()
    assert "shares to trade" not in page({**UNHEDGED, "cash_usd": 50_000.0})


def test_below_the_tables_stand_call_prices_relief_day_trading_and_notes() -> None:
    lines = page(ACCOUNT).splitlines()
    assert "day trading: 4 day trades in 5 business days ask $25,000.00 of equity" in lines
    assert "UPRO alone: a call begins at 43.2000 dollars (-46.00%)" in lines
    assert "BULL2 alone: a call begins at 140.0000 dollars (+180.00%)" in lines
    assert (
        "maintenance without relief for hedged shares $66,000.00, with FINRA's $21,200.00; "
        "hedge_relief in force: finra"
    ) in lines
    assert lines[-1] == (
        "after expiry: options settle in cash at their intrinsic value at today's prices"
    )
    later = page({**ACCOUNT, "date": "2026-06-04"}).splitlines()
    assert (
        "day trading: maintenance holds within the day; a deficit is to be cured in 5 business days"
    ) in later


def test_what_is_asked_is_answered_in_a_line() -> None:
    def asked(**keys: Any) -> list[str]:
        return page(
            {"date": "2019-06-03", "cash_usd": 1e5, "funds": ACCOUNT["funds"], **keys}
        ).splitlines()

    buy = {"fund": "UPRO", "action": "buy", "shares": 1666}
    assert "the order is accepted" in asked(order=buy)
    assert "the order is refused" in asked(order={**buy, "shares": 1667})
    assert ("largest opening order: 1666 whole shares, or $133,333.33 of market value") in asked(
        order={"fund": "UPRO", "side": "long"}
    )
    shown = asked(special_memorandum_account_usd=7.0)
    assert any(
        line.split() == ["special", "memorandum", "account", "$100,000.00"] for line in shown
    )


def test_an_account_without_equity_has_no_utilization() -> None:
    text = page({"date": "2019-06-03", "cash_usd": -100.0})
    assert text.count("no equity") == 5  # the cushion, and a utilization in each of four rows
    assert "MARGIN CALL: $100.00 short" in text
    assert "positions" not in text


def test_nothing_is_never_shown_below_zero() -> None:
    text = page({**UNHEDGED, "cash_usd": -4_000.0})
    assert "excess liquidity $0.00" in text.splitlines()[0]
    assert "-$0.00" not in text
    assert "-0.00%" not in text


# --- names that a terminal would read otherwise --------------------------------------------------


@pytest.mark.parametrize("name", ["[red]UPRO[/red]", ":smile:", "ЮПРО", "株3倍", "🚀", "a b"])
def test_a_name_is_shown_as_it_is_written(name: str) -> None:
    account = json.loads(json.dumps(UNHEDGED).replace("BULL2", name))
    text = page(account)
    assert f"short 200 {name}" in text
    unpriced = margin(
        "-", given=json.dumps({**account, "holdings": account["holdings"][1:2], "funds": {}})
    )
    assert unpriced.stderr.startswith(
        f"levsleeve: standard input: short 200 {name}: {name} is not among the funds; "
    )


def test_a_name_that_the_output_cannot_encode_is_escaped() -> None:
    account = json.dumps(UNHEDGED).replace("BULL2", "\\u0416")
    done = subprocess.run(
        [sys.executable, "-m", "levsleeve", "margin", "-"],
        input=account.encode(),
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"short 200 \\u0416" in done.stdout


# --- ways to ask ---------------------------------------------------------------------------------


def test_a_file_standard_input_and_the_module_print_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, ACCOUNT)
    by_file = margin(path)
    assert by_file.exit_code == 0
    assert by_file.stdout == page(ACCOUNT)
    module = subprocess.run(
        [sys.executable, "-m", "levsleeve", "margin", str(path)],
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert (module.stdout, module.stderr) == (by_file.stdout, "")


def test_json_is_one_document_and_what_python_gets(tmp_path: Path) -> None:
    path = written(tmp_path, ACCOUNT)
    by_file = margin(path, "--json")
    assert by_file.exit_code == 0
    assert json.loads(by_file.stdout) == levsleeve.margin_status(ACCOUNT).to_dict()
    assert margin("-", "--json", given=json.dumps(ACCOUNT)).stdout == by_file.stdout


def test_a_profile_starts_from_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "accounts", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    house = 'source = "mine"\nstanding = "assumed"\n[[house]]\nkind = "rate"\nlong_rate = 0.95\n'
    (folder / "house.toml").write_text(house, encoding="utf-8")
    account = {**UNHEDGED, "profile": "house.toml"}
    path = written(folder, account)
    monkeypatch.chdir(elsewhere)
    assert row(margin(path).stdout, "long 1000 UPRO")[2] == "95.0%"
    missing = margin("-", given=json.dumps(account))
    assert missing.stderr == (
        "levsleeve: standard input: house.toml: no such file; a broker profile is a TOML file\n"
    )
    monkeypatch.chdir(folder)
    assert row(margin("-", given=json.dumps(account)).stdout, "long 1000 UPRO")[2] == "95.0%"


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(ACCOUNT), encoding="utf-8-sig")
    assert margin(path).exit_code == 0


# --- bad input: exit code 2, one message, nothing on standard output -----------------------------


def refusal(account: object) -> str:
    given = account if isinstance(account, (str, bytes)) else json.dumps(account)
    messages = set()
    for flags in ([], ["--json"]):
        result = margin("-", *flags, given=given)
        assert isinstance(result.exception, SystemExit)
        assert (result.exit_code, result.stdout) == (2, "")
        messages.add(result.stderr)
    (message,) = messages
    assert message.startswith("levsleeve: standard input: ")
    assert message.count("\n") == 1
    return message.removeprefix("levsleeve: standard input: ").rstrip("\n")


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """The account with one value replaced, or left out where ``to`` is ``...``."""
    account = json.loads(json.dumps(ACCOUNT))
    *inside, last = path
    table: Any = account
    for key in inside:
        table = table[key]
    if to is ...:
        del table[last]
    else:
        table[last] = to
    return dict(account)


HELD, PUT = ("holdings", 0), ("holdings", 2)
UNPRICED = 'is not among the funds; "funds": {"XYZ": {"price_usd": ...}} is right'
PROFILES = (
    "no broker profile of that name; known are finra, house_flow, house_volatility, ibkr, "
    "retail_100, scottrade_2010, td_2010, or the path of a TOML file"
)


@pytest.mark.parametrize(
    ("account", "message"),
    [
        # The document.
        ("", "not JSON: Expecting value at line 1, column 1"),
        ("{", "not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        (b"\xff", "not UTF-8 text; an account snapshot is a JSON file"),
        ("[]", "[]; a table is right"),
        ('{"date": "2019-06-03", "date": "2019-06-04"}', "date: given twice; once is right"),
        ('{"date": "2019-06-03", "cash_usd": 0, "funds": {"A": {"price_usd": 1, "multiple": 1}, '
         '"A": {"price_usd": 2, "multiple": 1}}}', "A: given twice; once is right"),
        # Keys.
        (changed("cash", to=1), "cash: unknown key; did you mean cash_usd?"),
        (changed("policy", "relief", to="finra"),
         "policy.relief: unknown key; did you mean hedge_relief?"),
        (changed("funds", "UPRO", "price", to=1),
         "funds.UPRO: price: unknown key; did you mean price_usd?"),
        (changed(*HELD, "share", to=1),
         "holding 1 (long UPRO): share: unknown key; did you mean shares?"),
        (changed(*PUT, "expiry", to=1),
         "holding 3 (long UPRO put): expiry: unknown key; did you mean expiry_date?"),
        (changed("order", to={"fund": "UPRO", "side": "long", "fee": 1}),
         "order.fee: unknown key; did you mean fee_usd?"),
        # Dates and rules.
        (changed("date", to="1980-01-02"),
         "the requirement on shares has no entry on 1980-01-02; the table starts 1990-01-01"),
        (changed("date", to="2026-13-01"),
         "date: '2026-13-01'; a date such as \"2018-12-31\" is right"),
        (changed("date", to=...), "date: missing; this key is required"),
        (changed("rules_as_of", to="1989-12-31"),
         "the requirement on shares has no entry on 1989-12-31; the table starts 1990-01-01"),
        # Funds.
        (changed("funds", "UPRO", to={}),
         "funds.UPRO: price_usd: missing; this key is required"),
        (changed("funds", "UPRO", to=...),
         'long 1000 UPRO: UPRO is not among the funds; "funds": {"UPRO": {"price_usd": ...}} '
         "is right"),
        (changed("funds", "UPRO", "price_usd", to=-80),
         "funds.UPRO: price_usd: -80; a number of at least 0.0001 is right"),
        (changed("funds", "UPRO", "price_usd", to=float("nan")),
         "funds.UPRO: price_usd: nan; a finite number is right"),
        (changed("funds", "UPRO", "price_usd", to=float("inf")),
         "funds.UPRO: price_usd: inf; a finite number is right"),
        (changed("funds", "UPRO", "price_usd", to="80"),
         "funds.UPRO: price_usd: '80'; a number is right"),
        (changed("funds", "UPRO", "price_usd", to=1e308),
         "funds.UPRO: price_usd: 1e+308; a number of at most 1e+12 is right"),
        (changed("funds", "BULL2", "multiple", to=...),
         "funds.BULL2: multiple: missing, and the catalogue does not know the fund; its signed "
         "daily multiple is right (1 for a plain stock)"),
        (changed("funds", "BULL2", "multiple", to=0),
         "funds.BULL2: multiple: 0; a signed daily multiple, not 0 and at most 100 in size, "
         "is right"),
        (changed("funds", "BULL2", "multiple", to=1e308),
         "funds.BULL2: multiple: 1e+308; a signed daily multiple, not 0 and at most 100 in size, "
         "is right"),
        (changed("funds", to=[]), "funds: []; a table is right"),
        # Holdings.
        (changed("holdings", to={"fund": "UPRO"}), "holdings: {'fund': 'UPRO'}; a list is right"),
        (changed("holdings", to=[[]]),
         "holding 1: []; a table with fund, side and shares, or one of an option, is right"),
        (changed(*HELD, "shares", to=0),
         "holding 1 (long UPRO): shares: 0; a number above 0 is right"),
        (changed(*HELD, "shares", to="many"),
         "holding 1 (long UPRO): shares: 'many'; a number is right"),
        (changed(*HELD, "shares", to=float("nan")),
         "holding 1 (long UPRO): shares: nan; a finite number is right"),
        (changed(*HELD, "shares", to=1e308),
         "holding 1 (long UPRO): shares: 1e+308; a number of at most 1e+12 is right"),
        (changed(*HELD, "fund", to="XYZ"), f"long 1000 XYZ: XYZ {UNPRICED}"),
        (changed(*PUT, "fund", to="XYZ"), f"long 10 XYZ 2026-06-19 72 put: XYZ {UNPRICED}"),
        (changed(*PUT, "expiry_date", to=...),
         "holding 3 (long UPRO put): expiry_date: missing; this key is required"),
        (changed(*PUT, "expiry_date", to="2026-04-30"),
         "holding 3 (long UPRO put): expiry_date: 2026-04-30 is before the account's date "
         "2026-05-01; an option that is still alive is right"),
        (changed(*PUT, "strike_usd", to=-1),
         "holding 3 (long UPRO put): strike_usd: -1; a number of at least 0.0001 is right"),
        # What is asked.
        (changed("order", to={"fund": "XYZ", "side": "long"}), f"order: XYZ {UNPRICED}"),
        (changed("cut_fund", to="XYZ"), f"cut_fund: XYZ {UNPRICED}"),
        (changed("move_fund", to="XYZ"), f"move_fund: XYZ {UNPRICED}"),
        # Policy and profile.
        (changed("policy", to={"margin_mode": "portfolio", "hedge_relief": "finra"}),
         "policy.hedge_relief: finra contradicts margin_mode portfolio, which knows no such rule; "
         "margin_mode strategy is right"),
        (changed("policy", to={"flat_rate": 1e308}),
         "house and flat rates: above 1e+12; fractions of value are right"),
        (changed("profile", to="fidelity"), f"fidelity: {PROFILES}"),
        (changed("profile", to="none.toml"),
         "none.toml: no such file; a broker profile is a TOML file"),
        (changed("profile", to="house_volatility"),
         "volatility_index: missing; the house rate of house_volatility depends on it, "
         "a fraction is right"),
        (changed("cash_usd", to=float("-inf")), "cash_usd: -inf; a finite number is right"),
        (changed("cash_usd", to=-1e308), "cash_usd: -1e+308; a number of at least -1e+12 is right"),
    ],
)  # fmt: skip
def test_bad_input_ends_with_one_message(account: object, message: str) -> None:
    assert refusal(account) == message


def test_a_path_that_is_no_snapshot_ends_with_one_message(tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("", encoding="utf-8")
    for path, wrong in (
        (tmp_path / "none.json", "no such file; an account snapshot is a JSON file"),
        (tmp_path, "a folder; an account snapshot is a JSON file"),
        (empty, "not JSON: Expecting value at line 1, column 1"),
    ):
        result = margin(path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"levsleeve: {path}: {wrong}\n"


@pytest.mark.parametrize(
    "account",
    [
        pytest.param({
            "date": "2026-05-01", "cash_usd": -1e12,
            "funds": {"A": {"price_usd": 1e12, "multiple": 100}},
            "holdings": [{"fund": "A", "side": "short", "shares": 1e12}],
        }, id="most"),
        pytest.param({
            "date": "2026-05-01", "cash_usd": 0,
            "funds": {"A": {"price_usd": 0.0001, "multiple": -0.5}},
            "holdings": [{"fund": "A", "side": "short", "shares": 5e-324}],
        }, id="least"),
        pytest.param({
            "date": "9999-12-31", "cash_usd": 0, "funds": {"UPRO": {"price_usd": 80}},
            "holdings": [{"fund": "UPRO", "side": "long", "shares": 1}],
        }, id="last day"),
    ],
)  # fmt: skip
def test_numbers_at_the_limits_print_no_infinity(account: dict[str, Any]) -> None:
    words = set(page(account).replace("$", " ").replace("%", " ").split())
    assert not words & {"inf", "-inf", "nan", "+inf"}
    result = margin("-", "--json", given=json.dumps(account))
    assert result.exit_code == 0
    assert "Infinity" not in result.stdout


def test_an_unknown_option_or_no_account_is_told_by_the_command_line() -> None:
    assert margin().exit_code == 2
    assert margin("-", "--yaml", given="{}").exit_code == 2
