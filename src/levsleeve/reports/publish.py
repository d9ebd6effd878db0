"""Write a study's runs: built aside, put in place whole."""

import json
import platform
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from levsleeve.backtests.result import SleeveResult, finite_or_none
from levsleeve.backtests.study_result import StudyResult
from levsleeve.compiled import source_hash
from levsleeve.data.parquet import write_frame
from levsleeve.errors import StudyError
from levsleeve.reports.comparison import comparison_dict
from levsleeve.reports.in_place import clear_leftovers, put_in_place
from levsleeve.reports.tearsheet import differences, quantstats_metrics, write_tearsheet

LIBRARIES = ("arch", "backtrader", "numba", "numpy", "pandas", "pyarrow", "quantstats", "scipy")
BESIDE = ("rules_as_of", "volatility_model", "ending_equity_usd", "metrics", "margin", "hedge")
"""What result.json tells of the runs beside a sleeve's own."""
Told = Callable[[str], None]


def publish(
    result: StudyResult,
    out: Path,
    *,
    tearsheets: bool = True,
    processes: int = 1,
    told: Told | None = None,
) -> list[Path]:
    """Write every sleeve's folder and the comparison into ``out``; returns the files, in order.

    An earlier run of levsleeve in ``out`` is replaced when the new one is complete; ``told`` is
    called with each sleeve whose tear sheet is done.  More than one of ``processes`` draws the
    tear sheets in new processes, which run the calling script again unless it guards its main.

    Raises
    ------
    StudyError
        If ``out`` holds something else, or cannot be written.
    """
    make_room(out)
    with put_in_place(out.resolve()) as folder:
        for sleeve in result.sleeves.values():
            _write_sleeve(sleeve, result, folder / sleeve.name)
        _write_json(folder / "comparison.json", comparison_dict(result))
        _write_json(folder / "manifest.json", _manifest(result, result.sleeves))
        _write_yardsticks(result, folder / "benchmark.parquet")
        if tearsheets:
            _write_tearsheets(result, folder, processes, told)
    return sorted(path for path in out.rglob("*") if path.is_file())


def make_room(out: Path) -> list[str]:
    """Clear away what killed runs left of ``out``, and refuse to write over anything but a run.

    Returns one line about each folder that was left; to be called before a run and not after.

    Raises
    ------
    StudyError
        If ``out`` is neither absent, nor empty, nor an earlier run of levsleeve and nothing else.
    """
    told = clear_leftovers(out.resolve())
    refuse_foreign(out)
    return told


def refuse_foreign(out: Path) -> None:
    """Only an absent or empty folder, or an earlier run and nothing else, may be written over.

    Raises
    ------
    StudyError
        Naming what it holds that no run of levsleeve writes.
    """
    place = out.resolve()
    if not place.exists():
        return
    if not place.is_dir() or place == Path.cwd() or place in Path.cwd().parents:
        raise StudyError(f"{out}: no folder to write a run into; another one (--out) is right")
    written = {"comparison.json", "manifest.json", "benchmark.parquet"}
    for entry in sorted(place.iterdir()):
        ours = _is_run(entry) if entry.is_dir() else entry.name in written and _is_run(place)
        if not ours:
            raise StudyError(
                f"{out}: it holds {entry.name}, which no run of levsleeve wrote; "
                "another folder (--out) is right"
            )


def _is_run(folder: Path) -> bool:
    """Whether a folder has a manifest of ours and, if it is a sleeve's, nothing but its files."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and {"levsleeve", "schema", "sleeves"} <= manifest.keys()


def _write_sleeve(sleeve: SleeveResult, result: StudyResult, folder: Path) -> None:
    """The files of one sleeve but the tear sheet."""
    folder.mkdir()
    ledger_facts = {"schema": "1", "study": sleeve.study, "sleeve": sleeve.name}
    write_frame(folder / "ledger.parquet", sleeve.ledger, ledger_facts)
    write_frame(folder / "events.parquet", sleeve.events, ledger_facts)
    theirs = quantstats_metrics(sleeve.returns, _benchmark(sleeve))
    figures = sleeve.as_dict()
    figures["quantstats"] = {
        "figures": theirs,
        "differences": [
            {"name": d.name, "ours": d.ours, "theirs": d.theirs, "why": d.why}
            for d in differences(sleeve.metrics, theirs)
        ],
    }
    figures["beside"] = [
        {key: run.as_dict()[key] for key in BESIDE}
        for runs in (result.other_rules, result.other_volatility)
        for name, run in runs.items()
        if name == sleeve.name
    ]
    _write_json(folder / "result.json", figures)
    _write_json(folder / "manifest.json", _manifest(result, {sleeve.name: sleeve}))


def _write_yardsticks(result: StudyResult, path: Path) -> None:
    """Session returns of the benchmark and of bills: what equity curves are drawn against."""
    first = next(iter(result.sleeves.values()))
    returns = {"benchmark_return": first.benchmark_returns, "bill_return": first.bill_returns}
    frame = pd.DataFrame(returns).rename_axis("session")
    facts = {"schema": "1", "study": first.study, "benchmark": result.study.benchmark}
    write_frame(path, frame, facts)


def _benchmark(sleeve: SleeveResult) -> "pd.Series[float]":
    """The benchmark over the sessions that the sleeve lived."""
    return sleeve.benchmark_returns.reindex(sleeve.returns.index)


def _write_tearsheets(result: StudyResult, folder: Path, processes: int, told: Told | None) -> None:
    """The tear sheets, one after the other or on several processes: pictures take time."""
    sleeves = list(result.sleeves.values())
    workers = min(processes, len(sleeves))
    if workers == 1:
        for sleeve in sleeves:
            write_sleeve_tearsheet(folder / sleeve.name / "tearsheet.html", sleeve)
            if told is not None:
                told(sleeve.name)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        done = pool.map(
            write_sleeve_tearsheet,
            [folder / sleeve.name / "tearsheet.html" for sleeve in sleeves],
            sleeves,
        )
        for sleeve, _ in zip(sleeves, done, strict=True):
            if told is not None:
                told(sleeve.name)


def write_sleeve_tearsheet(path: Path, sleeve: SleeveResult) -> None:
    """One sleeve's QuantStats page, with everything it takes for granted."""
    margin = sleeve.margin
    lines = [
        f"margin: at closes peak utilization {margin['peak_utilization']:.1%}, lowest cushion "
        f"{margin['lowest_cushion']:.1%}, {margin['margin_calls']} margin calls, "
        f"{margin['liquidations']} forced trades",
        *(f"{subject}: {sentence}" for subject, sentence in sleeve.assumptions.items()),
    ]
    if sleeve.wiped:
        owed = -float(sleeve.ledger["equity"].iloc[-1])
        lines.insert(
            0, f"wiped: the run ended on the last session shown, ${owed:,.2f} below zero equity"
        )
    if sleeve.closed_out:
        lines.insert(0, "closed out: the broker closed the account at its first margin call")
    write_tearsheet(
        path,
        sleeve.returns,
        _benchmark(sleeve),
        title=f"{sleeve.study}: {sleeve.name}",
        notes=lines,
        bill_returns=sleeve.bill_returns.reindex(sleeve.returns.index),
    )


def _manifest(result: StudyResult, sleeves: Mapping[str, SleeveResult]) -> dict[str, Any]:
    """What produced these files."""
    package = Path(__file__).parent.parent
    hashes: dict[str, str] = {}
    for sleeve in sleeves.values():
        hashes.update(sleeve.data_hashes)
    return {
        "schema": 1,
        "study": result.study.model_dump(mode="json", by_alias=True),
        "sleeves": list(sleeves),
        "drivers": {name: sleeve.driver for name, sleeve in sleeves.items()},
        "levsleeve": {"version": version("levsleeve"), "source": source_hash(package)},
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "data_sha256": hashes,
        "seed": None,
        "written_utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    """JSON with a stable order of keys and no number that JSON does not know."""
    text = json.dumps(finite_or_none(dict(content)), indent=2, allow_nan=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")
