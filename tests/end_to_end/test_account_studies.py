"""Studies whose account says how orders fill, what calls do, what cash comes and what is lent."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.workspaces import make_workspace
from typer.testing import CliRunner

import levsleeve
from levsleeve.backtests.ledger import identity_errors
from levsleeve.backtests.study_result import StudyResult
from levsleeve.cli.app import app
from levsleeve.errors import StudyError

HEAD = """\
schema = 1
name = "kinds"
start = 2014-07-01
end = 2014-12-31
rules_as_of = 2010-04-30

[account]
cash_usd = 50_000.0
"""
SLEEVES = """
[[sleeve]]
name = "puts"
strategy = "bull_3x_puts"

[[sleeve]]
name = "short"
strategy = "bear_sleeve"
parameters = { form = "short_bull" }
"""
EVERYTHING = """\
fill = "next_open"
intraday_test = true
fractional_shares = true
call_policy = "call"
call_sessions = 2
fund_slippage_rate = 0.0005
option_slippage_rate = 0.01

[account.fund_costs.UPRO]
half_spread_rate = 0.0001

[account.option_costs.UPRO]
half_spread_minimum_usd = 0.10

[[account.cash_flow]]
on = 2014-08-01
amount_usd = 1_000.0
every = "month"

[[account.borrow]]
fund = "UPRO"
file = "borrow.csv"
"""
BORROW = "date,rate,state\n2014-07-01,0.02,available\n2014-10-01,0.05,recalled\n"


def study_of(folder: Path, cache: Path, account: str, sleeves: str = SLEEVES) -> Path:
    path = make_workspace(folder, cache, HEAD + account + sleeves)
    (path.parent / "borrow.csv").write_text(BORROW, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, price_cache: Path) -> StudyResult:
    return levsleeve.run(study_of(tmp_path_factory.mktemp("all"), price_cache, EVERYTHING))


def test_every_dollar_is_explained_with_every_setting_in_force(everything: StudyResult) -> None:
    for sleeve in everything.sleeves.values():
        assert identity_errors(sleeve.ledger, 50_000.0).abs().max().max() < 1e-8
        assert sleeve.external.sum() == 5_000.0


def test_a_recall_by_file_buys_the_short_sleeve_in_and_keeps_it_flat(
    everything: StudyResult,
) -> None:
    sleeve = everything.sleeves["short"]
    bought = sleeve.events[sleeve.events["kind"] == "buy_in"]
    assert list(bought["session"]) == [pd.Timestamp("2014-10-01")]
    assert bought["why"].iloc[0] == "the lender recalled the shares"
    assert (sleeve.ledger["shares:UPRO"].loc["2014-10-02":] == 0.0).all()
    refused = sleeve.events[sleeve.events["kind"] == "order_refused"]
    assert set(refused["why"]) == {"no shares to borrow"}
    fees = sleeve.ledger["flow:borrow_fee"]
    # 2 % a year on 102 % of the price rounded up, over one night, from the second session on.
    held, price = sleeve.ledger["shares:UPRO"].iloc[1], sleeve.ledger["price:UPRO"].iloc[1]
    days = (sleeve.ledger.index[2] - sleeve.ledger.index[1]).days
    assert fees.iloc[2] == pytest.approx(held * -(-1.02 * price // 1) * 0.02 * days / 360)


def test_fractions_of_a_share_are_held_and_orders_fill_at_the_open(
    everything: StudyResult,
) -> None:
    sleeve = everything.sleeves["puts"]
    filled = sleeve.events[sleeve.events["kind"] == "order_filled"].iloc[0]
    assert filled["shares"] * 10_000 == pytest.approx(round(filled["shares"] * 10_000))
    assert filled["shares"] != round(filled["shares"])


def test_the_assumptions_name_every_setting(everything: StudyResult) -> None:
    said = everything.sleeves["puts"].assumptions
    assert said["fills"] == (
        "orders decided at a close fill at the next session's open; options there are priced with "
        "the volatility of the close before"
    )
    assert said["calls"] == (
        "a margin call may be met within 2 sessions (assumed); then the broker liquidates what is "
        "needed; maintenance is tested at each session's lows and highs too, every fund at its own "
        "extreme on the same side of the index, and forced trades fill there"
    )
    assert said["shares"] == "fractions of a share trade, in ten-thousandths"
    assert said["trading"] == (
        "ibkr_fixed commissions; half-spread 0.02 % of a fund's price, slippage 0.05 % (UPRO 0.06 "
        "% in all) and liquidation penalty 0 % of value (both assumed)"
    )
    assert said["option spread"] == (
        "half-spread 5 % of the premium, slippage 1 %, at least $0.05 a share; on UPRO 6 % in all, "
        "at least $0.10 (assumed)"
    )
    assert said["deposits and withdrawals"] == (
        "dated, 1 entry of the study; a withdrawal is cut to what the account may pay out; returns "
        "are time-weighted, a money-weighted one beside"
    )
    assert said["borrow fee"].startswith("UPRO by date")


def test_a_money_weighted_return_stands_in_the_comparison_where_cash_flowed(
    everything: StudyResult,
) -> None:
    table = everything.table()
    assert list(table.loc["money_weighted_return"]) == [
        sleeve.money_weighted_return for sleeve in everything.sleeves.values()
    ]
    figures = everything.sleeves["puts"].as_dict()
    assert (figures["deposits_usd"], figures["withdrawals_usd"]) == (5_000.0, 0.0)


def test_a_file_of_borrow_fees_is_hashed_with_the_prices(everything: StudyResult) -> None:
    hashes = everything.sleeves["short"].data_hashes
    assert hashes["borrow borrow.csv"] == hashlib.sha256(BORROW.encode()).hexdigest()


STOPPED = """
[[sleeve]]
name = "half"
strategy = "bull_3x"
parameters = { weight = 1.3, cap = 1.4 }
"""


def test_a_run_that_its_broker_closed_says_so(tmp_path: Path, price_cache: Path) -> None:
    path = study_of(tmp_path, price_cache, 'call_policy = "stop"\n', STOPPED)
    ran = CliRunner().invoke(app, ["run", str(path), "--no-tearsheets"])
    assert ran.exit_code == 0
    assert "half (closed out)" in ran.stdout
    written = path.parent / "out" / "kinds" / "half" / "result.json"
    figures = json.loads(written.read_text(encoding="utf-8"))
    assert (figures["closed_out"], figures["wiped"], figures["owed_usd"]) == (True, False, 0.0)
    (call,) = figures["margin_calls"]
    assert set(call) == {"session", "why", "deposit_usd"}
    assert f"a deposit of ${call['deposit_usd']:,.2f}"[:-1] in call["why"]


def test_the_same_close_is_labelled_a_look_ahead(tmp_path: Path, price_cache: Path) -> None:
    path = study_of(tmp_path, price_cache, 'fill = "same_close"\n', STOPPED)
    said = levsleeve.run(path).sleeves["half"].assumptions["fills"]
    assert said.startswith("LOOK-AHEAD: orders fill at the very close they are decided on")


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (
            '[[account.borrow]]\nfund = "SSO"\nsince = 2014-08-01\n',
            "account.borrow: SSO is not held; one of UPRO is right",
        ),
        (
            "[account.fund_costs.SPXU]\n",
            "account.fund_costs: SPXU is not held; one of UPRO is right",
        ),
        (
            '[[account.borrow]]\nfund = "UPRO"\nfile = "none.csv"\n',
            "none.csv: no such file; borrow fees by date are a CSV file with the header "
            "date,rate,state",
        ),
        (
            "[[account.cash_flow]]\non = 2013-01-02\namount_usd = 1.0\n",
            "account.cash_flow: on 2013-01-02 is outside the sessions of the study, 2014-07-01 to "
            "2014-12-31; a date within them is right",
        ),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_its_study(
    tmp_path: Path, price_cache: Path, account: str, message: str
) -> None:
    path = study_of(tmp_path, price_cache, account)
    with pytest.raises(StudyError) as refused:
        levsleeve.run(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)


@pytest.mark.parametrize("fill", ["next_open"])
def test_opens_that_copy_closes_are_refused(tmp_path: Path, price_cache: Path, fill: str) -> None:
    path = study_of(tmp_path, price_cache, f'fill = "{fill}"\n')
    text = path.read_text(encoding="utf-8").replace("2014-07-01", "2004-07-01")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as refused:
        levsleeve.run(path)
    assert str(refused.value).startswith(f"{path}: UPRO: ")
    assert "are copies of the close before" in str(refused.value)


def test_a_lone_strategy_chooses_its_fill_by_an_option(tmp_path: Path, price_cache: Path) -> None:
    study_of(tmp_path, price_cache, "")
    options: list[Any] = ["--start", "2014-07-01", "--end", "2014-12-31", "--fill", "same_close"]
    path = tmp_path / "strategies" / "sma_cross.py"
    out = tmp_path / "out"
    ran = CliRunner().invoke(
        app, ["run", str(path), *options, "--no-tearsheets", "--out", str(out)]
    )
    assert ran.exit_code == 0
    written = out / "sma_cross" / "result.json"
    said = json.loads(written.read_text(encoding="utf-8"))["assumptions"]["fills"]
    assert said.startswith("LOOK-AHEAD")
