"""The benchmarks of whole runs live what they say; how fast anything is, is no test."""

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks import drivers, instructions, parts, scaling, start_up
from benchmarks.cases import Case, even_case, quickstart_case

BRIEF = "0.001"
SESSIONS = 45


@pytest.fixture(scope="module")
def hedged(price_cache: Path) -> Case:
    return quickstart_case("bull-puts", price_cache, SESSIONS)


def small(price_cache: Path, *more: str) -> list[str]:
    """Options that make a benchmark take a second."""
    return [*more, "--prices", str(price_cache), "--sessions", str(SESSIONS), "--seconds", BRIEF]


def tables_in(text: str) -> list[list[str]]:
    """The lines of each table, which empty lines part."""
    return [block.splitlines() for block in text.strip().split("\n\n")]


def test_a_case_is_the_sleeve_of_the_study_over_its_first_sessions(hedged: Case) -> None:
    sessions = hedged.setting.market.sessions
    assert len(sessions) == hedged.sessions == SESSIONS
    assert sessions[0].date().isoformat() == "1999-06-01"
    assert hedged.sleeve.targets == {"UPRO": 0.5}
    assert hedged.sleeve.slots == ("UPRO:put",)


def test_many_sleeves_have_weights_of_their_own(hedged: Case) -> None:
    many = hedged.spread(5)
    assert [sleeve.targets["UPRO"] for sleeve in many] == pytest.approx([0.3, 0.35, 0.4, 0.45, 0.5])
    assert {sleeve.hedge for sleeve in many} == {hedged.sleeve.hedge}


def test_both_drivers_leave_the_same_ledger(hedged: Case) -> None:
    assert drivers.agree(hedged)


def test_funds_of_an_even_sleeve_share_half_of_equity(price_cache: Path) -> None:
    case = even_case(scaling.FUNDS, price_cache, 5)
    assert set(case.sleeve.targets.values()) == {0.125}
    assert case.setting.market.symbols == scaling.FUNDS


def test_the_drivers_stand_side_by_side(
    price_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drivers.main(small(price_cache, "bull-puts", "--runs", "3"))
    (title, header, reference, *rows), (goals,) = tables_in(capsys.readouterr().out)
    assert title == "bull-puts, 45 sessions; the two ledgers are equal in every bit"
    assert header.split() == [*" ".join(drivers.HEADER).split()]
    assert reference.startswith("Backtrader, whole ledger ")
    assert reference.split()[-2] == "1"
    assert [row.partition("  ")[0] for row in rows][:4] == [
        "kernel, whole ledger",
        "kernel, summed up",
        "kernel, compiled alone",
        "kernel, 3 summed up, 1 core",
    ]
    assert goals == drivers.GOALS


def test_parts_are_counted_as_often_as_the_sleeve_does_them(hedged: Case) -> None:
    often = parts.times_a_session(hedged)
    assert list(often) == list(parts.PARTS)
    ledger = hedged.through_backtrader()
    covered = np.count_nonzero(ledger["shares:UPRO:put"])
    assert often["mark of the puts"] == covered / SESSIONS
    assert often["decision on sizes"] == 3 / SESSIONS  # the first sessions of June, July, August
    bought = np.count_nonzero(np.diff(ledger["shares:UPRO"], prepend=0.0) > 0.0)
    assert often["purchase of shares"] == bought / SESSIONS
    assert often["carry and corporate actions"] == 1.0


def test_parts_add_up_beside_the_whole(
    price_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts.main(small(price_cache))
    (title, header, *rows), (whole_header, *wholes) = tables_in(capsys.readouterr().out)
    assert title == "bull-puts, 45 sessions"
    assert header.split() == ["part", "each,", "ns", "a", "session", "ns"]
    summed = [float(row.split()[-1]) for row in rows[: len(parts.PARTS)]]
    name, total = rows[-1].split()
    assert name == "sum"
    assert float(total) == pytest.approx(sum(summed), abs=0.05 * len(summed) + 0.05)  # as printed
    assert whole_header.split() == ["a", "session", "ns"]
    assert [row.partition("  ")[0] for row in wholes] == [
        "the whole loop",
        "without puts",
        "and sized once only",
        "the whole with its ledger",
    ]


def test_a_sleeve_without_puts_has_no_parts_of_them(price_cache: Path) -> None:
    case = quickstart_case("bull", price_cache, 5)
    named = [*parts.PARTS, *parts.ALONE]
    assert list(parts.parts_of(case)) == [name for name in named if name not in parts.OF_PUTS]
    assert "without puts" not in parts.wholes_of(case)


def test_instructions_are_left_out_where_nothing_counts_them(
    price_cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "available", lambda: False)
    parts.main(small(price_cache, "bull", "--instructions"))
    told, title, header, *_ = capsys.readouterr().out.splitlines()
    assert told == "instructions: valgrind is not installed; no column of them"
    assert title == "bull, 45 sessions"
    assert "instructions" not in header


def test_what_switching_costs_is_taken_off_the_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals = {"out.1": 500, "out.2": 900, "out.3": 2500}

    def left(command: list[str], **_: object) -> None:
        out = [option for option in command if option.startswith("--callgrind-out-file=")]
        for name, total in totals.items():
            for path in out:
                file = Path(path.partition("=")[2]).with_name(name)
                file.write_text(f"events: Ir\ntotals: {total}\n", encoding="utf-8")

    monkeypatch.setattr("subprocess.run", left)
    found = instructions.counted("benchmarks.parts", [], ["a", "b"])
    assert found == {"a": 400 / instructions.CALLS, "b": 2000 / instructions.CALLS}


def test_every_call_is_counted_between_the_same_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(instructions, "_tell", seen.append)
    instructions.count({"a": lambda: seen.append("a")})
    before, after = ["--instr=on", "--zero"], ["--instr=off", "--dump"]
    calls = ["a"] * instructions.CALLS
    assert seen == [*before, *after, "a", *before, *calls, *after]


def test_four_tables_tell_how_the_time_grows(
    price_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scaling.main(small(price_cache, "--most", "10"))
    title, *tables, cores = tables_in(capsys.readouterr().out)
    assert title == ["bull-puts, 45 sessions"]
    names = [[row.split()[0] for row in table] for table in tables]
    assert names == [
        ["configurations", "1", "10"],
        ["sessions", "22", "45"],
        ["funds", "1", "2", "4"],
    ]
    assert " ".join(cores[0].split()) == "workers time a session cores parallel machine noise"
    assert cores[1].split()[-3:-1] == ["100%", "100%"]
    assert cores[-1] == scaling.GOAL


def test_a_process_tells_what_it_did(price_cache: Path) -> None:
    options = ["--prices", str(price_cache), "--sessions", "30"]
    found = start_up.process("kernel", options)
    assert list(found) == ["imports", "market", "run", "time", "cores"]
    assert found["time"] > found["imports"] + found["market"] + found["run"] > 0.0


def test_a_cold_process_looks_for_compiled_rules_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[dict[str, str]] = []

    class Done:
        stdout = json.dumps({"run": 1.0})

    def note(_command: list[str], env: dict[str, str], **_: object) -> Done:
        given.append(env)
        return Done()

    monkeypatch.setenv("NUMBA_CACHE_DIR", "/warm")
    monkeypatch.setattr("subprocess.run", note)
    start_up.cold("kernel", [])
    (environment,) = given
    assert environment["NUMBA_CACHE_DIR"] != "/warm"


def test_processes_stand_in_one_table(
    price_cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_up, "KINDS", {"import": "import levsleeve"})
    start_up.main(["--starts", "1", "--prices", str(price_cache)])
    header, row, goal = capsys.readouterr().out.splitlines()
    assert header.split() == list(start_up.HEADER)
    assert row.startswith("import levsleeve  ")
    assert goal == start_up.GOAL
