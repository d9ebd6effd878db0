"""Runs summed up: every figure is that of the run's own ledger, whatever the workers and chunks."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from levsleeve.backtests import batch
from levsleeve.backtests.batch import summaries
from levsleeve.backtests.drive import compiled_sleeve, run_sleeve
from levsleeve.backtests.prepare import prepare
from levsleeve.backtests.result import CARRY, SleeveResult
from levsleeve.backtests.sleeve_market import Setting, setting_of_sleeve
from levsleeve.backtests.study import Study, parse_study
from levsleeve.backtests.tally import GAPS
from levsleeve.data.library import Library
from levsleeve.errors import LedgerError, StudyError
from levsleeve.strategies.sleeve import Holding, ProtectivePut, Sleeve

HERE = Path(__file__).parents[3] / "backtests" / "any.toml"
CASH_FLOWS = [
    {"on": date(2008, 7, 1), "amount_usd": 20_000.0},
    {"on": date(2008, 9, 15), "amount_usd": -30_000.0},
]


def study(**account: Any) -> Study:
    return parse_study({
        "schema": 1, "name": "any", "start": date(2008, 6, 2),
        "end": date(2009, 6, 30),
        "rules_as_of": date(2010, 4, 30),
        "account": account,
        "sleeve": [
            {"name": "puts", "strategy": "bull_3x_puts"},
            {"name": "short", "strategy": "bear_sleeve",
             "parameters": {"form": "short_bull", "weight": 1.05, "cap": 1.05}},
        ],
    })  # fmt: skip


@pytest.fixture(scope="module")
def library(price_cache: Path) -> Library:
    return Library.open(price_cache)


def both_ways(
    which: int, library: Library, **account: Any
) -> tuple[SleeveResult, "pd.Series[float]"]:
    """One sleeve with its whole ledger, and summed up."""
    asked = study(**account)
    prepared = prepare(asked.sleeve[which], HERE)
    result = run_sleeve(asked, HERE, prepared, library, driver="kernel")
    setting = setting_of_sleeve(asked, HERE, prepared.needs, library)
    sleeve = compiled_sleeve(prepared)
    assert sleeve is not None
    return result, summaries(setting, [sleeve]).iloc[0]


CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "puts": (0, {}),
    "puts with dated cash": (0, {"cash_flow": CASH_FLOWS}),
    "a short that is called": (1, {}),
    "a short that is closed out": (1, {"call_policy": "stop"}),
    "a short tested within the day": (1, {"intraday_test": True, "fill": "same_close"}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_summary_has_the_figures_of_the_ledger(case: str, library: Library) -> None:
    which, account = CASES[case]
    result, row = both_ways(which, library, **account)
    metrics, margin, ledger = result.metrics, result.margin, result.ledger
    for name in ("total_return", "cagr", "volatility", "sharpe", "max_drawdown",
                 "expected_shortfall"):  # fmt: skip
        assert row[name] == pytest.approx(getattr(metrics, name), rel=1e-9), name
    assert row["worst"] == pytest.approx(metrics.worst_session, rel=1e-12)
    assert row["best"] == pytest.approx(metrics.best_session, rel=1e-12)
    for name in ("peak_utilization", "mean_utilization", "lowest_cushion",
                 "lowest_excess_liquidity_usd", "sessions_below_10_percent_cushion"):  # fmt: skip
        assert row[name] == pytest.approx(margin[name], rel=1e-12), name
    assert row["sessions"] == len(ledger)
    assert row["ending_equity_usd"] == ledger["equity"].iloc[-1]
    assert bool(row["ended"]) == (result.wiped or result.closed_out)
    for cause in (*CARRY, "commission", "fees", "spread", "option", "external", "liquidation"):
        total = ledger[f"flow:{cause}"].sum()
        assert row[f"flow:{cause}"] == pytest.approx(total, rel=1e-9, abs=1e-6), cause
    moved = ledger.filter(regex="^flow:price:").to_numpy().sum()
    assert row["flow:price"] == pytest.approx(moved, rel=1e-9)
    counted = result.events["kind"].value_counts()
    for name in row.index[row.index.str.startswith("events:")]:
        assert row[name] == counted.get(name.removeprefix("events:"), 0), name


def test_the_called_short_is_called(library: Library) -> None:
    _, row = both_ways(1, library)
    assert row["events:margin_call"] > 0
    assert row["events:liquidation"] > 0


def setting(library: Library) -> Setting:
    asked = study()
    return setting_of_sleeve(asked, HERE, prepare(asked.sleeve[0], HERE).needs, library)


def sleeves(count: int) -> list[Sleeve]:
    """Sleeves that differ in everything a plan holds."""
    return [
        Sleeve(
            holdings=(Holding("UPRO", 0.2 + 0.4 * i / count),),
            cap=0.6 + i / count,
            hedge=ProtectivePut("UPRO", 0.7 + 0.3 * i / count, 20.0 + i, 1.0),
            rebalance=("monthly", "daily", "once")[i % 3],
            band=0.01 * (i % 4),
        )
        for i in range(count)
    ]


def test_rows_depend_neither_on_workers_nor_on_chunks_nor_on_their_neighbours(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    within, many = setting(library), sleeves(40)
    one = summaries(within, many, workers=1)
    monkeypatch.setattr(batch, "CHUNK", 7)
    pd.testing.assert_frame_equal(one, summaries(within, many, workers=2), check_exact=True)
    alone = summaries(within, [many[17]]).iloc[0]
    assert alone.equals(one.iloc[17])
    assert one["total_return"].nunique() == 40


def test_a_run_begins_with_its_own_cash(library: Library) -> None:
    two = summaries(setting(library), sleeves(1) * 2, cash_usd=[100_000.0, 1_000.0])
    large, small = two["ending_equity_usd"]
    assert small == pytest.approx(large / 100.0, rel=0.1)  # whole shares, and commissions


def test_sleeves_of_other_funds_are_refused(library: Library) -> None:
    other = Sleeve(holdings=(Holding("SSO", 0.5),), cap=0.6)
    with pytest.raises(StudyError) as stopped:
        summaries(setting(library), [*sleeves(1), other])
    assert str(stopped.value) == (
        "sleeves: one holds SSO; the funds UPRO and as many option slots as the others are right"
    )


def test_a_run_that_does_not_add_up_is_refused(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doctored(*arguments: Any) -> None:
        live_many(*arguments)
        arguments[-1].counts[0, GAPS] = 1.0

    live_many = batch.live_many
    monkeypatch.setattr(batch, "live_many", doctored)
    with pytest.raises(LedgerError) as stopped:
        summaries(setting(library), sleeves(3))
    assert str(stopped.value) == (
        "run 0: its flows do not explain its equity, or a session has more events than the buffer "
        "holds; its whole ledger says where"
    )


def test_the_tail_is_the_mean_of_the_worst_hundredth(library: Library) -> None:
    rng = np.random.default_rng(3)
    for lived in (3, 101, 102, 1_000, 5_031):
        returns = rng.normal(0.0, 0.02, lived)
        figures = np.zeros(len(batch.FIGURES))
        batch.sum_up(figures, returns, lived)
        worst = np.sort(returns[1:])[: int(np.ceil(0.01 * (lived - 1) - 1e-9))]
        assert figures[batch.SHORTFALL] == pytest.approx(worst.mean(), rel=1e-12)
        assert figures[batch.DEVIATION] == pytest.approx(returns[1:].std(ddof=1), rel=1e-9)
