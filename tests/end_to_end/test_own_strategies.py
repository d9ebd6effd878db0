"""Plain Backtrader strategies: by the command, by path and by class, alone and in a study."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from tests.workspaces import make_workspace
from typer.testing import CliRunner, Result

import levsleeve
from levsleeve.backtests.ledger import identity_errors
from levsleeve.backtests.result import SleeveResult
from levsleeve.backtests.workspace import load_strategy
from levsleeve.cli.app import app
from levsleeve.data.library import Library
from levsleeve.data.parquet import read_frame
from levsleeve.errors import StudyError

START, END = date(2010, 2, 1), date(2011, 6, 30)
"""Neither UPRO nor SSO splits between them."""
SPAN = ("--start", START, "--end", END)
FUNDS = {"sma_cross": ["UPRO"], "pair_trade": ["UPRO", "SSO"]}


def invoke(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, price_cache: Path) -> Path:
    root = tmp_path_factory.mktemp("own")
    make_workspace(root, price_cache)
    return root


@pytest.fixture(scope="module")
def written(workspace: Path) -> dict[str, pd.DataFrame]:
    """The ledgers of both examples as the command writes them."""
    ledgers = {}
    for name, funds in FUNDS.items():
        file = workspace / "strategies" / f"{name}.py"
        result = invoke("run", file, *SPAN, "--funds", ",".join(funds), "--no-tearsheets")
        assert result.exit_code == 0, result.output
        folder = workspace / "backtests" / "out" / name / name
        ledgers[name], _ = read_frame(folder / "ledger.parquet")
    return ledgers


def alone(strategy: Any, funds: list[str]) -> SleeveResult:
    result = levsleeve.run(strategy, funds=funds, settings={"start": START, "end": END})
    (only,) = result.sleeves.values()
    return only


@pytest.mark.parametrize("name", FUNDS)
def test_command_path_and_class_give_the_same_ledger_in_every_bit(
    workspace: Path,
    written: dict[str, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    file = workspace / "strategies" / f"{name}.py"
    monkeypatch.chdir(workspace)
    for asked in (file, str(file), load_strategy(file)):
        ledger = alone(asked, FUNDS[name]).ledger
        pd.testing.assert_frame_equal(ledger, written[name], check_exact=True, check_freq=False)


@pytest.mark.parametrize("name", FUNDS)
def test_the_same_strategy_in_a_study_has_the_same_ledger(
    tmp_path: Path, price_cache: Path, written: dict[str, pd.DataFrame], name: str
) -> None:
    text = (
        f'schema = 1\nname = "mine"\nstart = {START}\nend = {END}\nrules_as_of = 2010-04-30\n'
        f'[[sleeve]]\nname = "a"\nstrategy = "{name}"\nfunds = {json.dumps(FUNDS[name])}\n'
    )
    result = levsleeve.run(make_workspace(tmp_path, price_cache, text)).sleeves["a"]
    pd.testing.assert_frame_equal(result.ledger, written[name], check_exact=True, check_freq=False)


@pytest.mark.parametrize("name", FUNDS)
def test_every_row_of_the_ledger_adds_up(written: dict[str, pd.DataFrame], name: str) -> None:
    errors = identity_errors(written[name], 100_000.0)
    assert errors.abs().to_numpy().max() < 1e-6
    assert (written[name]["shares:UPRO"] != 0.0).any()


@pytest.mark.parametrize("name", FUNDS)
def test_an_example_leaves_the_files_of_a_sleeve_without_a_hedge(
    workspace: Path, written: dict[str, pd.DataFrame], name: str
) -> None:
    folder = workspace / "backtests" / "out" / name
    result = json.loads((folder / name / "result.json").read_text(encoding="utf-8"))
    assert result["hedge"] == {
        "kind": "none", "cost_usd": 0.0, "payoff_usd": 0.0, "net_usd": 0.0,
    }  # fmt: skip
    assert result["volatility_model"] is None
    assert "option prices" not in result["assumptions"]
    assert result["ending_equity_usd"] == written[name]["equity"].iloc[-1]
    comparison = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert list(comparison["sleeves"]) == [name]


def test_the_average_cross_trades_at_the_session_after_each_crossing(
    workspace: Path, written: dict[str, pd.DataFrame]
) -> None:
    prices = Library.open(workspace / "data" / "cache").prices("UPRO").frame
    close = prices["close"].loc[str(START) : str(END)]
    assert (prices["split"].loc[str(START) : str(END)] == 1.0).all()
    above = (close.rolling(10).mean() - close.rolling(30).mean()).dropna() > 0
    turned = above[above != above.shift(fill_value=bool(above.iloc[0]))]
    turned = turned.loc[turned.idxmax() :]  # before the first turn upwards nothing is held
    coming = close.index.to_series().shift(-1)
    expected = [coming[session] for session in turned.index if not pd.isna(coming[session])]
    traded = written["sma_cross"]["shares:UPRO"].diff()
    assert len(expected) >= 8
    assert list(traded[traded.fillna(0.0) != 0.0].index) == expected


def test_the_average_cross_buys_what_half_of_equity_paid_for_at_the_close_before(
    written: dict[str, pd.DataFrame],
) -> None:
    ledger = written["sma_cross"]
    shares = ledger["shares:UPRO"]
    bought = shares.index[(shares > 0) & (shares.shift() == 0)]
    before = ledger.shift().loc[bought]
    wanted = np.floor(0.5 * before["equity"] / before["price:UPRO"])
    assert list(shares[bought]) == list(wanted)


def test_the_pair_is_long_one_fund_and_short_the_other_of_the_same_exposure(
    written: dict[str, pd.DataFrame],
) -> None:
    ledger = written["pair_trade"]
    first, second = ledger["value:UPRO"], ledger["value:SSO"]
    held = first != 0.0
    assert (held == (second != 0.0)).all()
    assert (np.sign(first[held]) == -np.sign(second[held])).all()
    assert (first < 0.0).any()
    assert (second < 0.0).any()
    assert ledger["flow:borrow_fee"].min() < 0.0
    opened = held & ~held.shift(fill_value=False)
    np.testing.assert_allclose(-2 * second[opened] / (3 * first[opened]), 1.0, atol=0.05)


# --- the options of the command ------------------------------------------------------------------


def test_the_options_of_a_strategy_reach_the_study(workspace: Path, tmp_path: Path) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text('source = "mine"\nstanding = "assumed"\n', encoding="utf-8")
    result = invoke(
        "run", workspace / "strategies" / "sma_cross.py", "--no-tearsheets", "--out",
        tmp_path / "run", "--funds", "SSO", "--start", "2010-02-01", "--end", "2010-12-30",
        "--cash", "50000", "--profile", profile, "--rules-as-of", "session",
        "--set", "fast=5", "--set", "weight=1",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    study = manifest["study"]
    assert (study["start"], study["end"], study["rules_as_of"]) == (
        "2010-02-01", "2010-12-30", "session",
    )  # fmt: skip
    assert (study["account"]["cash_usd"], study["account"]["profile"]) == (50_000.0, str(profile))
    (sleeve,) = study["sleeve"]
    assert (sleeve["funds"], sleeve["parameters"]) == (["SSO"], {"fast": 5, "weight": 1})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--start", "2010-13-01"), "--start: '2010-13-01'; a date such as 2018-12-31 is right"),
        (("--rules-as-of", "now"), "--rules-as-of: 'now'; a date such as 2018-12-31 is right"),
        (("--cash", "-1"), "{file}: account.cash_usd: -1.0; a number above 0 is right"),
        (
            ("--set", "fast=ten"),
            "{file}: sleeve sma_cross: parameters.fast: 'ten'; a value like 10 is right",
        ),
        (
            ("--set", "speed=1"),
            "{file}: sleeve sma_cross: parameters.speed: unknown to SmaCross; "
            "known are fast, slow, weight",
        ),
        (
            ("--funds", "UPRO,UPRO"),
            "{file}: sleeve sma_cross: funds and slots: UPRO is named twice; names must differ",
        ),
        (
            ("--end", "2010-02-12"),
            "{file}: sleeve sma_cross: SmaCross fails as it starts with IndexError: array "
            "assignment index out of range; an indicator needs more sessions than the run has; "
            "a longer run is right",
        ),
    ],
)
def test_an_option_that_is_wrong_ends_with_exit_code_2_and_one_message(
    workspace: Path, tmp_path: Path, words: tuple[str, str], message: str
) -> None:
    file = workspace / "strategies" / "sma_cross.py"
    out = tmp_path / "run"
    result = invoke("run", file, "--start", START, *words, "--no-tearsheets", "--out", out)
    assert result.exit_code == 2
    assert result.stderr == f"levsleeve: {message.format(file=file)}\n"
    assert not out.exists()


def test_a_study_file_refuses_the_options_of_a_strategy(small_study: Path) -> None:
    result = invoke("run", small_study, "--funds", "UPRO", "--rules-as-of", "session")
    assert result.exit_code == 2
    assert result.stderr == (
        f"levsleeve: {small_study}: --funds, --rules-as-of: for a strategy alone, a file ending "
        "in .py; a study says it by its own keys\n"
    )


def test_a_sleeve_may_be_run_alone_too_and_names_its_own_funds(workspace: Path) -> None:
    file = workspace / "strategies" / "bull_3x.py"
    assert alone_by_command(file).exit_code == 0
    refused = alone_by_command(file, "--funds", "SSO")
    assert refused.stderr == (
        f"levsleeve: {file}: sleeve bull_3x: funds: Bull3x names its own; "
        "its parameters change them\n"
    )


def alone_by_command(file: Path, *words: object) -> Result:
    return invoke("run", file, *SPAN, *words, "--no-tearsheets")


# --- what Backtrader strategies do ---------------------------------------------------------------

TALKATIVE = """
import datetime

import backtrader as bt


class Talkative(bt.Strategy):
    params = dict(period=15, limit=None, span=(1, 2), since=datetime.date(2009, 1, 1))

    def log(self, text):
        print(f"{self.datas[0].datetime.date(0)} {text}")

    def __init__(self):
        self.setsizer(bt.sizers.PercentSizer(percents=30, retint=True))
        self.average = bt.indicators.SimpleMovingAverage(self.data, period=self.p.period)
        bt.indicators.MACDHisto(self.data)
        bt.indicators.ATR(self.data, plot=False)

    def notify_order(self, order):
        if order.status == order.Completed:
            self.log(f"{order.executed.size:g} at {order.executed.price:.2f}")

    def notify_trade(self, trade):
        if trade.isclosed:
            self.log(f"profit {trade.pnlcomm:.2f}")

    def next(self):
        if not self.position and self.data.close[0] > self.average[0]:
            self.buy()
        elif self.position and self.data.close[0] < self.average[0]:
            self.close()

    def stop(self):
        self.log(f"ending value {self.broker.getvalue():.2f}")


if __name__ == "__main__":
    raise SystemExit
"""
SIGNALS = """
import backtrader as bt


class Signals(bt.SignalStrategy):
    def __init__(self):
        fast, slow = bt.ind.SMA(period=10), bt.ind.SMA(period=30)
        self.signal_add(bt.SIGNAL_LONG, bt.ind.CrossOver(fast, slow))
"""


@pytest.fixture
def own_file(tmp_path: Path, price_cache: Path) -> Callable[[str], Path]:
    """Writes a strategy into a workspace of its own."""
    make_workspace(tmp_path, price_cache)

    def write(text: str) -> Path:
        path = tmp_path / "own.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_strategy_in_the_style_of_backtraders_samples_runs_and_prints(
    own_file: Callable[[str], Path],
) -> None:
    file = own_file(TALKATIVE)
    result = alone_by_command(file)
    assert result.exit_code == 0, result.output
    folder = file.parent / "backtests" / "out" / "own" / "own"
    figures = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    events, _ = read_frame(folder / "events.parquet")
    printed = [line.split(" ", 1) for line in result.stdout.splitlines() if line[:2] == "20"]
    fills = [[f"{row.Index:%Y-%m-%d}", f"{row.shares:g} at {row.price:.2f}"]
             for row in events.itertuples()]  # fmt: skip
    assert len(fills) > 10
    assert [line for line in printed if " at " in line[1]] == fills
    assert sum("profit" in line[1] for line in printed) == sum(events["shares"] < 0)
    assert printed[-1] == ["2011-06-30", f"ending value {figures['ending_equity_usd']:.2f}"]


def test_what_a_strategy_prints_stays_out_of_the_json(own_file: Callable[[str], Path]) -> None:
    result = alone_by_command(own_file(TALKATIVE), "--json")
    assert list(json.loads(result.stdout)["sleeves"]) == ["own"]
    assert "ending value" in result.stderr


def test_a_strategy_of_signals_trades(own_file: Callable[[str], Path]) -> None:
    only = alone(own_file(SIGNALS), ["UPRO"])
    assert set(only.ledger["shares:UPRO"]) == {0.0, 1.0}


WANTING = """
import backtrader as bt


class Wanting(bt.Strategy):
    def {where}(self):
        {statement}
"""
HINT = "it was given 1 feed (UPRO); --funds or funds = [...] names more"


@pytest.mark.parametrize(
    ("where", "statement", "failure"),
    [
        ("__init__", "self.other = self.datas[1]",
         f"as it starts with IndexError: list index out of range; {HINT}"),
        ("__init__", "one, two = self.datas",
         "as it starts with ValueError: not enough values to unpack (expected 2, got 1); "
         f"{HINT}"),
        ("next", "self.data1.close[0]",
         "on 2010-02-01 with AttributeError: 'Lines_LineSeries_LineIterator_DataAccessor_Strateg' "
         f"object has no attribute 'data1'; {HINT}"),
        ("next", "self.getdatabyname('SPXU')", f"on 2010-02-01 with KeyError: 'SPXU'; {HINT}"),
        ("next", "[][0]",
         "on 2010-02-01 with IndexError: list index out of range; a strategy that runs is right"),
    ],
)  # fmt: skip
def test_a_strategy_that_wants_more_feeds_is_told_how_to_name_them(
    own_file: Callable[[str], Path], where: str, statement: str, failure: str
) -> None:
    file = own_file(WANTING.format(where=where, statement=statement))
    with pytest.raises(StudyError) as refused:
        alone(file, ["UPRO"])
    assert str(refused.value) == f"{file}: sleeve own: Wanting fails {failure}"


def test_two_feeds_are_told_as_two(own_file: Callable[[str], Path]) -> None:
    file = own_file(WANTING.format(where="next", statement="self.datas[2]"))
    with pytest.raises(StudyError, match=r"it was given 2 feeds \(UPRO, SSO\); --funds"):
        alone(file, ["UPRO", "SSO"])


# --- options, and what becomes of an opening that does not fit -----------------------------------


class Covered(bt.Strategy):
    """A plain strategy that buys a put in its slot, with shares below it."""

    def next(self) -> None:
        if len(self) == 2:
            contract = levsleeve.OptionContract("UPRO", "put", 40.0, date(2010, 6, 18))
            self.buy(size=100)
            self.buy(data=self.data1, size=1, contract=contract)


class Greedy(bt.Strategy):
    """Wants twice what half of a margin account can open."""

    def next(self) -> None:
        if len(self) == 1:
            self.order_target_percent(target=4.0)


def settings(**sleeve: Any) -> dict[str, Any]:
    return {"start": START, "end": date(2010, 7, 30), "sleeve": sleeve}


def test_a_plain_strategy_with_an_option_slot_prices_options_and_says_how(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    study = levsleeve.run(
        Covered, settings=settings(slots=["put"]) | {"volatility_beside": "vix_linear_skew"}
    )
    result, other = study.sleeves["Covered"], study.other_volatility["Covered"]
    assert list(result.events["kind"]) == [
        "order_filled", "option_rolled", "order_filled", "option_expired",
    ]  # fmt: skip
    assert {"option prices", "implied volatility", "option spread"} <= result.assumptions.keys()
    assert result.as_dict()["volatility_model"] == "vix_standard_skew"
    assert result.hedging["kind"] == "none"
    assert "peak_utilization@with_relief" in study.table().index
    assert not other.ledger["flow:option"].equals(result.ledger["flow:option"])


def test_an_option_slot_needs_an_implied_volatility_from_the_first_session(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    early = settings(slots=["put"]) | {"start": date(1999, 2, 1)}
    with pytest.raises(StudyError) as refused:
        levsleeve.run(Covered, settings=early)
    assert str(refused.value) == (
        "Covered: start: 1999-02-01 has no implied volatility, so options cannot be priced; "
        "it starts 1999-04-06"
    )


@pytest.mark.parametrize(
    ("sleeve", "kinds"),
    [({}, ["order_refused"]), ({"on_shortfall": "cut"}, ["order_cut", "order_filled"])],
)
def test_an_opening_that_does_not_fit_is_refused_or_cut_as_the_study_says(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, sleeve: dict[str, str], kinds: list[str]
) -> None:
    monkeypatch.chdir(workspace)
    events = levsleeve.run(Greedy, settings=settings(**sleeve)).sleeves["Greedy"].events
    assert list(events["kind"])[: len(kinds)] == kinds


def test_a_class_without_a_file_runs_in_the_current_folder(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    typed: dict[str, Any] = {"__name__": "__main__"}
    exec((workspace / "strategies" / "sma_cross.py").read_text(encoding="utf-8"), typed)  # noqa: S102
    result = levsleeve.run(
        typed["SmaCross"], parameters={"fast": 5}, settings={"start": START, "end": END}
    )
    assert list(result.sleeves) == ["SmaCross"]
    assert result.sleeves["SmaCross"].events["kind"].eq("order_filled").all()
