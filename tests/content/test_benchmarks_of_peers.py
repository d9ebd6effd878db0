"""What every engine can do: ours ends where plain arithmetic does, and so do those installed."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks import common_task, peers
from benchmarks.common_task import COST_RATE, Task, any_fraction, ending_usd, task_of
from benchmarks.peer_engines import PEERS, Peer

from levsleeve.strategies.cadence import Cadence

SESSIONS = 400
CENT = 0.005
CADENCES: tuple[Cadence, ...] = ("daily", "monthly")
TASKS = [
    (weights, cadence) for weights in (peers.TWO_FUNDS, peers.ONE_FUND) for cadence in CADENCES
]


@pytest.fixture(scope="module", params=TASKS, ids=str)
def task(request: pytest.FixtureRequest, price_cache: Path) -> Task:
    weights, cadence = request.param
    return task_of(weights, cadence, price_cache, SESSIONS)


def ending(task: Task) -> float:
    """What the kernel leaves."""
    (usd,) = peers.kernel(task, [task.case.sleeve], 1)()
    return float(usd)


def test_arithmetic_of_two_sessions_is_that_of_paper() -> None:
    closes, due = np.array([[100.0, 50.0], [110.0, 45.0]]), np.array([True, True])
    # half is 500 shares and a fifth 400, for $70,000 and $35 of costs
    worth = 100_000.0 - 35.0 + 500.0 * 10.0 - 400.0 * 5.0
    first, second = 0.5 * worth / 110.0 - 500.0, 0.2 * worth / 45.0 - 400.0
    costs = COST_RATE * (abs(first) * 110.0 + abs(second) * 45.0)
    assert ending_usd(closes, [0.5, 0.2], due, any_fraction) == pytest.approx(worth - costs)


def test_shares_are_rounded_or_cut_as_each_engine_does() -> None:
    wanted, price, held = np.array([100.0, 100.0]), np.array([3.0, 3.0]), np.array([0.0, 50.0])
    assert common_task.any_fraction(wanted, price, held) == pytest.approx([100 / 3, 100 / 3 - 50])
    parts = common_task.ten_thousandths(wanted, price, held)
    assert parts == pytest.approx([33.3333, 33.3333 - 50.0], abs=1e-12)
    inside = common_task.cost_inside(wanted, price, held)
    assert inside[0] * 3.0 * (1.0 + COST_RATE) == pytest.approx(100.0)
    assert inside[1] * 3.0 * (1.0 - COST_RATE) == pytest.approx(-50.0)


def test_arithmetic_compounds_the_returns_of_the_weights(task: Task) -> None:
    returns = task.closes.pct_change().fillna(0.0).to_numpy()
    worth, exposure = common_task.CASH_USD, np.zeros(len(task.weights))
    for earned, due in zip(returns, task.due, strict=True):
        worth += exposure @ earned
        exposure = exposure * (1.0 + earned)
        if due:
            target = task.weights * worth
            worth -= COST_RATE * np.abs(target - exposure).sum()
            exposure = target
    known = ending_usd(task.closes.to_numpy(), task.weights, task.due, any_fraction)
    assert known == pytest.approx(worth, rel=1e-12)


def test_the_kernel_ends_at_the_cent_of_arithmetic(task: Task) -> None:
    trade = common_task.ten_thousandths
    known = ending_usd(task.closes.to_numpy(), task.weights, task.due, trade)
    assert ending(task) == pytest.approx(known, abs=CENT)


def test_fractions_that_do_not_trade_are_worth_cents(task: Task) -> None:
    known = ending_usd(task.closes.to_numpy(), task.weights, task.due, any_fraction)
    off = abs(ending(task) - known)
    assert 0.0 < off < 0.10


def test_prices_of_the_task_know_no_split(task: Task) -> None:
    tape = task.case.setting.market.tape
    assert (tape.splits == 1.0).all()
    assert task.closes.iloc[0].tolist() == [100.0] * len(task.weights)
    assert task.closes.pct_change().abs().max().max() < 0.5


@pytest.mark.filterwarnings("ignore")  # what other engines are warned of is theirs
@pytest.mark.parametrize(
    ("peer", "weights", "cadence"),
    [
        pytest.param(
            *(peer, weights, cadence),
            id=f"{peer.name}-{len(weights)}-{cadence}",
            marks=pytest.mark.skipif(not peer.version, reason=f"{peer.package} is not installed"),
        )
        for peer in PEERS
        for weights, cadence in TASKS
        if len(weights) <= peer.most_funds
    ],
)
def test_an_engine_ends_at_the_cent_of_its_own_arithmetic(
    peer: Peer, weights: dict[str, float], cadence: Cadence, price_cache: Path
) -> None:
    task = task_of(weights, cadence, price_cache, SESSIONS)
    (usd,) = peer.run(task, task.weights[None, :])()
    known = ending_usd(task.closes.to_numpy(), task.weights, task.due, peer.trade)
    assert usd == pytest.approx(known, abs=CENT)


def test_many_configurations_end_with_the_one_of_the_task(task: Task) -> None:
    sleeves = task.configurations(3)
    first = [sleeve.targets["UPRO"] for sleeve in sleeves]
    assert first == pytest.approx([0.3, 0.4, 0.5])
    assert peers.kernel(task, sleeves, 1)()[-1] == ending(task)


@pytest.mark.filterwarnings("ignore")
def test_tables_have_a_row_for_ours_and_for_what_is_installed(
    price_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--prices", str(price_cache), "--sessions", "40", "--seconds", "0.001"]
    peers.main([*options, "--configurations", "3", "--rebalance", "weekly"])
    told, one, many, alone, goal = capsys.readouterr().out.strip().split("\n\n")
    assert told.startswith("engines: ")
    title, header, *rows = one.splitlines()
    assert title == "UPRO at 0.5 and SPXU at 0.2, weekly, 40 sessions"
    assert header.split() == " ".join(peers.HEADER).split()
    here = [peer.name for peer in PEERS if peer.version and peer.most_funds > 1]
    ours = ["levsleeve, summed up", "levsleeve, whole ledger"]
    assert [row.partition("  ")[0] for row in rows] == [*ours, *here]
    assert many.splitlines()[1].startswith("levsleeve, 3, workers 1  ")
    assert alone.startswith("UPRO at 0.5, weekly, 40 sessions\n")
    assert goal == peers.GOAL


def test_what_is_absent_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Peer("none", "no-such-engine", any_fraction, lambda _, weights: lambda: weights)
    monkeypatch.setattr(peers, "PEERS", (absent,))
    assert peers.installed() == (
        "engines: none but ours\n"
        "not installed: no-such-engine; python -m pip install no-such-engine (or make peers) "
        "adds them"
    )
