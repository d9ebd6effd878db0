import json
import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.workspaces import STUDY, make_workspace
from typer.testing import CliRunner, Result

import levsleeve
from levsleeve.backtests.ledger import identity_errors
from levsleeve.cli.app import app
from levsleeve.data.parquet import read_frame
from levsleeve.reports.comparison import comparison_tables


def invoke(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, price_cache: Path) -> tuple[Path, Result]:
    """One run of the small study without pictures, shared by the tests that only look."""
    study = make_workspace(tmp_path_factory.mktemp("shared"), price_cache)
    return study.parent / "out" / "small", invoke("run", study, "--no-tearsheets")


def test_a_run_prints_the_comparison_and_where_it_wrote(run: tuple[Path, Result]) -> None:
    folder, result = run
    assert result.exit_code == 0, result.output
    for words in ("CAGR", "max drawdown", "margin calls", "under each date's own rules", "SP500"):
        assert words in result.output
    assert "wrote 11 files:" in result.output
    assert (folder / "comparison.json").is_file()


def test_a_run_writes_the_promised_files_of_every_sleeve(run: tuple[Path, Result]) -> None:
    folder, _ = run
    names = {"result.json", "ledger.parquet", "events.parquet", "manifest.json"}
    for sleeve in ("puts", "short"):
        assert {path.name for path in (folder / sleeve).iterdir()} == names
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


@pytest.mark.parametrize("sleeve", ["puts", "short"])
def test_every_row_of_a_ledger_adds_up(run: tuple[Path, Result], sleeve: str) -> None:
    ledger, facts = read_frame(run[0] / sleeve / "ledger.parquet")
    assert (facts["schema"], facts["sleeve"]) == ("1", sleeve)
    assert len(ledger) == 273
    assert identity_errors(ledger, 100_000.0).abs().to_numpy().max() < 1e-6
    excess = ledger["equity_with_loan_value"] - ledger["maintenance_margin"]
    np.testing.assert_allclose(ledger["excess_liquidity"], excess, atol=1e-9)


def test_the_events_name_contracts_and_say_why(run: tuple[Path, Result]) -> None:
    events, _ = read_frame(run[0] / "puts" / "events.parquet")
    expired = events[events["kind"] == "option_expired"]
    assert len(expired) == 13
    assert expired["symbol"].str.fullmatch(r"UPRO \d{4}-\d\d-\d\d [\d.]+ put").all()
    assert (expired["why"] == "settled in cash at the close of its last day").all()


def test_the_comparison_file_holds_what_the_results_hold(run: tuple[Path, Result]) -> None:
    folder, _ = run
    comparison = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    result = json.loads((folder / "puts" / "result.json").read_text(encoding="utf-8"))
    assert comparison["sleeves"]["puts"]["cagr"] == result["metrics"]["cagr"]
    assert comparison["sleeves"]["puts"]["hedge_cost_usd"] == result["hedge"]["cost_usd"]
    assert comparison["sleeves"]["short"]["cagr@vix_linear_skew"] is None
    assert {run["volatility_model"] for run in result["beside"]} == {
        "vix_standard_skew",
        "vix_linear_skew",
    }
    modelled = " ".join(result["assumptions"].values())
    for word in ("modelled", "assumed", "proxy", "synthetic fund", "2010-04-30"):
        assert word in modelled


def test_hedge_cost_and_payoff_are_the_cash_that_went_and_came(run: tuple[Path, Result]) -> None:
    events, _ = read_frame(run[0] / "puts" / "events.parquet")
    ledger, _ = read_frame(run[0] / "puts" / "ledger.parquet")
    result = json.loads((run[0] / "puts" / "result.json").read_text(encoding="utf-8"))
    puts = events[events["symbol"].str.contains("put")]
    bought = puts[puts["kind"] == "order_filled"]
    gone = puts[puts["kind"] == "option_expired"]
    paid = (bought["shares"] * bought["price"]).sum()
    came = (gone["shares"] * gone["price"]).sum() + ledger["value:UPRO:put"].iloc[-1]
    commission = -result["hedge"]["cost_usd"] - paid
    assert 0 < commission < 0.02 * paid
    assert result["hedge"]["payoff_usd"] == pytest.approx(came)


def test_the_same_study_gives_the_same_bytes(run: tuple[Path, Result], tmp_path: Path) -> None:
    folder, _ = run
    study = folder.parents[1] / "small.toml"
    assert invoke("run", study, "--no-tearsheets", "--out", tmp_path / "again").exit_code == 0
    for sleeve in ("puts", "short"):
        for name in ("result.json", "ledger.parquet", "events.parquet"):
            first, second = folder / sleeve / name, tmp_path / "again" / sleeve / name
            assert first.read_bytes() == second.read_bytes()


def test_json_output_is_one_document_and_nothing_else(small_study: Path) -> None:
    result = invoke("run", small_study, "--json", "--no-tearsheets")
    assert json.loads(result.stdout)["study"] == "small"


def test_python_gets_the_same_run_as_frames(small_study: Path, run: tuple[Path, Result]) -> None:
    result = levsleeve.run(small_study)
    written, _ = read_frame(run[0] / "short" / "ledger.parquet")
    pd.testing.assert_frame_equal(result.sleeves["short"].ledger, written, check_freq=False)
    assert (
        result.table().loc["margin_calls", "short"]
        == result.sleeves["short"].margin["margin_calls"]
    )
    assert not (small_study.parent / "out").exists()


def test_a_run_with_pictures_writes_them_too(tmp_path: Path, price_cache: Path) -> None:
    short = STUDY.split("[[sleeve]]", maxsplit=2)[0] + "[[sleeve]]" + STUDY.rsplit("[[sleeve]]")[-1]
    study = make_workspace(tmp_path, price_cache, short.replace("2008-06-02", "2009-01-02"))
    result = invoke("run", study)
    assert result.exit_code == 0, result.output
    page = (study.parent / "out" / "small" / "short" / "tearsheet.html").read_text(encoding="utf-8")
    assert "hypothetical: a back test" in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "")


def test_an_earlier_run_is_replaced_whole(small_study: Path) -> None:
    out = small_study.parent / "out" / "small"
    assert invoke("run", small_study, "--no-tearsheets").exit_code == 0
    (out / "short" / "tearsheet.html").write_text("old", encoding="utf-8")
    assert invoke("run", small_study, "--no-tearsheets").exit_code == 0
    assert not (out / "short" / "tearsheet.html").exists()
    assert [path.name for path in out.parent.iterdir()] == ["small"]


def test_a_folder_that_is_no_run_is_never_written_over(small_study: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("x", encoding="utf-8")
    result = invoke("run", small_study, "--out", precious)
    assert result.exit_code == 2
    assert result.stderr == (
        f"levsleeve: {precious}: it holds thesis.txt, which no run of levsleeve wrote; "
        "another folder (--out) is right\n"
    )
    assert [path.name for path in precious.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("manifest", ['{"name": "web app"}', "[]", "no JSON"])
def test_a_manifest_of_another_program_makes_no_run(
    small_study: Path, tmp_path: Path, manifest: str
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "manifest.json").write_text(manifest, encoding="utf-8")
    result = invoke("run", small_study, "--out", mine)
    assert result.exit_code == 2
    assert "it holds manifest.json, which no run of levsleeve wrote" in result.stderr


def test_a_file_or_the_folder_one_stands_in_is_no_folder_to_write_a_run_into(
    small_study: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for place in (tmp_path / "file", Path("/"), Path()):
        result = invoke("run", small_study, "--out", place)
        assert result.exit_code == 2
        assert result.stderr == (
            f"levsleeve: {place}: no folder to write a run into; another one (--out) is right\n"
        )


def test_brackets_in_a_title_are_printed_as_they_are(tmp_path: Path, price_cache: Path) -> None:
    study = make_workspace(
        tmp_path, price_cache, STUDY.replace("A small study", "Puts [v2] and [/b]")
    )
    result = invoke("run", study, "--no-tearsheets")
    assert result.exit_code == 0
    assert "Puts [v2] and [/b] | 2008-06-02" in result.output


def test_a_strategy_that_fails_in_a_session_is_told_by_file_sleeve_and_date(
    tmp_path: Path, price_cache: Path
) -> None:
    study = make_workspace(tmp_path, price_cache, STUDY.replace("bull_3x_puts", "mine"))
    text = (tmp_path / "strategies" / "bull_3x.py").read_text(encoding="utf-8")
    (tmp_path / "strategies" / "mine.py").write_text(
        text + "\n    def next(self):\n        1 / 0\n", encoding="utf-8"
    )
    result = invoke("run", study)
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        f"levsleeve: {study}: sleeve puts: Bull3x fails on 2008-06-02 with ZeroDivisionError: "
        "division by zero; a strategy that runs is right"
    )


def test_an_interruption_leaves_nothing_under_the_runs_name(
    small_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("levsleeve.reports.publish._write_sleeve", interrupt)
    result = invoke("run", small_study, "--no-tearsheets")
    assert result.exit_code == 130
    assert "levsleeve: interrupted; nothing was written" in result.stderr
    assert list((small_study.parent / "out").iterdir()) == []


Edit = Callable[[str], str]


def replaced(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (replaced("cash_usd = 100_000.0", "cash_usd = -1.0"),
         "account.cash_usd: -1.0; a number above 0 is right"),
        (replaced("cash_usd =", "chas_usd ="),
         "account.chas_usd: unknown key; did you mean cash_usd?"),
        (replaced("start = 2008-06-02", "start = 1998-06-02"),
         "start: 1998-06-02 is outside the data; SP500 spans 1999-01-04 to 2018-12-31"),
        (replaced("end = 2009-06-30", "end = 2019-06-30"),
         "end: 2019-06-30 is outside the data; SP500 spans 1999-01-04 to 2018-12-31"),
        (replaced("start = 2008-06-02", "start = 2009-06-30"),
         "start: 2009-06-30 is not before end 2009-06-30; an earlier date is right"),
        (replaced("start = 2008-06-02\nend = 2009-06-30", "start = 2009-06-27\nend = 2009-06-28"),
         "start and end: 2009-06-27 to 2009-06-28 holds 0 sessions; at least 2 are needed"),
        (replaced('form = "short_bull"', 'fund = "TQQQ"'),
         "sleeve short: parameters.fund: unknown to BearSleeve; did you mean bull_fund?"),
        (replaced('form = "short_bull"', 'form = "short_bull", bull_fund = "UPROO"'),
         "sleeve short: UPROO: no fund of that name; did you mean UPRO?"),
        (replaced('form = "short_bull"', "weight = 0.8"),
         "sleeve short: weight: 0.8 of equity in leveraged funds is above the cap 0.6; "
         "lower the weight or raise the cap"),
        (replaced('form = "short_bull"', 'weight = "half"'),
         "sleeve short: parameters.weight: 'half'; a value like 0.5 is right"),
        (replaced('form = "short_bull"', 'form = "sideways"'),
         "sleeve short: form: 'sideways'; one of long_inverse, short_bull is right"),
        (replaced('"bear_sleeve"', '"bear_sleve"'),
         "sleeve short: strategy: no strategies/bear_sleve.py in this workspace; "
         "did you mean bear_sleeve?"),
        (replaced("start = 2008-06-02", "start = 1999-02-01"),
         "start: 1999-02-01 has no implied volatility, so options cannot be priced; "
         "it starts 1999-04-06"),
        (replaced('volatility_beside = "vix_linear_skew"', 'volatility_model = "flat"'),
         "volatility_model: flat: no volatility model of that name; "
            "known are vix_linear_skew, vix_standard_skew"),
        (replaced("[account]", '[account]\nfinancing = "mybank"'),
         "account.financing: mybank: no financing plan of that name; known are ibkr, "
            "ibkr_2021, ibkr_lite, ibkr_older_credit"),
        (replaced("[account]", '[account]\ncommission = "free"'),
         "account.commission: free: no commission plan of that name; known are ibkr_fixed, "
            "ibkr_tiered, none"),
        (replaced("rules_as_of = 2010-04-30", "rules_as_of = 1980-01-01"),
         "rules_as_of: the requirement on shares has no entry on 1980-01-01; "
            "the table starts 1990-01-01"),
        (replaced('rules_beside = "session"', 'benchmark = "UPRO"'),
         "benchmark: UPRO: no bundled index of that name; SP500 is right"),
    ],
)  # fmt: skip
def test_bad_input_ends_with_exit_code_2_one_message_and_nothing_written(
    tmp_path: Path, price_cache: Path, edit: Edit, message: str
) -> None:
    study = make_workspace(tmp_path, price_cache, edit(STUDY))
    result = invoke("run", study, "--no-tearsheets")
    assert result.exit_code == 2
    assert result.stderr.strip().splitlines()[-1] == f"levsleeve: {study}: {message}"
    assert len(re.findall(r"^levsleeve: ", result.stderr, flags=re.MULTILINE)) == 1
    assert "Traceback" not in result.output
    assert not (study.parent / "out").exists()


def test_a_narrow_terminal_gets_several_tables_and_no_figure_is_cut(small_study: Path) -> None:
    result = levsleeve.run(small_study)
    wide, narrow = (comparison_tables(result, width) for width in (140, 60))
    assert [len(table.columns) for table in wide] == [4]
    assert [len(table.columns) for table in narrow] == [3, 2]
    figures = [cell for table in narrow for column in table.columns[1:] for cell in column.cells]
    assert figures == [cell for column in wide[0].columns[1:] for cell in column.cells]


HEAD = "from levsleeve import SleeveStrategy\n\n\nclass Mine(SleeveStrategy):\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + "    pass\n",
            "Mine: it describes no sleeve; "
            "a classmethod describe(cls, parameters) -> Sleeve is right",
        ),
        (
            HEAD + "    @classmethod\n    def describe(cls, p):\n        return p.weight\n",
            "Mine.describe: it fails with AttributeError: 'types.SimpleNamespace' object has no "
            "attribute 'weight'; one that returns a Sleeve is right",
        ),
        (
            HEAD + "    @classmethod\n    def describe(cls, p):\n        return 'UPRO'\n",
            "Mine.describe: it returns str; a Sleeve is right",
        ),
    ],
)
def test_a_strategy_file_that_makes_no_sleeve_is_refused_by_study_and_sleeve(
    tmp_path: Path, price_cache: Path, text: str, message: str
) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "mine.py").write_text(text, encoding="utf-8")
    study = make_workspace(tmp_path, price_cache, STUDY.replace("bull_3x_puts", "mine"))
    result = invoke("run", study)
    assert result.exit_code == 2
    assert result.stderr.strip() == f"levsleeve: {study}: sleeve puts: {message}"


def test_a_folder_that_cannot_be_made_or_filled_is_refused_and_nothing_is_left(
    small_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = invoke("run", small_study, "--no-tearsheets", "--out", tmp_path / "file" / "run")
    assert result.exit_code == 2
    assert "cannot be written (Not a directory); a writable folder with space" in result.stderr

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("levsleeve.reports.publish.write_frame", full)
    result = invoke("run", small_study, "--no-tearsheets")
    assert result.exit_code == 2
    assert "cannot be written (No space left on device); a writable folder" in result.stderr
    assert list((small_study.parent / "out").iterdir()) == []


def test_python_may_write_the_run_too_and_several_tear_sheets_at_once(
    tmp_path: Path, price_cache: Path
) -> None:
    study = make_workspace(tmp_path, price_cache, STUDY.replace("2008-06-02", "2009-01-02"))
    levsleeve.run(study, out=tmp_path / "run")
    for sleeve in ("puts", "short"):
        assert (tmp_path / "run" / sleeve / "tearsheet.html").stat().st_size > 100_000


def test_the_version_is_the_packages() -> None:
    assert invoke("--version").stdout == f"levsleeve {version('levsleeve')}\n"
