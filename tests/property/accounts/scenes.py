"""Random scenes: what prices, rules, lenders and dated cash bring over a few sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st
from tests.end_to_end.accounts import history_of, market_of

from levsleeve.backtests.market import Market
from levsleeve.backtests.tape import retaped
from levsleeve.compiled import Floats
from levsleeve.instruments.borrow_state import BORROW_STATES
from levsleeve.margin.rulebook import Rulebook, rulebook

LEAST_PRICE_USD = 0.0001
LEAST_GROWTH = 0.02
"""No fund loses more than 98 % in a session by its multiple alone."""
FLIP = date(2009, 12, 3)
BOOKS: dict[str, Rulebook] = {
    "finra": rulebook(),
    "relief": rulebook(switches={"hedge_relief": "finra", "option_loan_value": "finra"}),
    "legacy": rulebook(switches={"order_initial": "broker", "end_of_day_initial": "ibkr_legacy"}),
    "headroom": rulebook(switches={"buffer_rate": 0.05, "free_rate": 0.2, "order_fee_usd": 7.0}),
    "factor": rulebook("house_flow", {"house": {"kind": "factor", "factor": 1.35}}),
    "dated": rulebook(switches={"house": {"kind": "rate", "long_rate": 0.9, "until": FLIP}}),
    "volatility": rulebook("house_volatility"),
    "nothing_lent": rulebook("retail_100"),
    "ibkr": rulebook("ibkr"),
    "portfolio": rulebook(switches={"margin_mode": "portfolio"}),
    "cash": rulebook(switches={"margin_mode": "cash"}),
    "flat": rulebook(switches={"flat_rate": 0.5, "minimum_equity_usd": 0.0}),
}
"""Brokers that ask different things; ``dated`` ends half-way through the first of the starts."""
STARTS = ["2009-11-25", "2011-06-24", "2020-10-02"]
"""Before leveraged rates on 2009-12-01, before a month's end, at a house's dated increase."""
RATIOS = [2.0, 3.0, 1.5, 0.5, 0.25, 0.1, 1.0 / 3.0]
MOVES = [percent / 100.0 for percent in (*range(7), *range(-1, -7, -1), *range(-35, 36, 3))]
"""Of the index: half of them quiet, the others to a third of it."""
SESSIONS = list(
    product(
        [0.0, 0.5, 1.0, 1.4], [1.0, 0.97, 0.8, 0.3], [1.0, 1.03, 1.25, 2.0], [0.1, 0.2, 0.45, 0.8]
    )
)
"""The part of the move at the open, the factors of low and high, and the volatility."""
T = TypeVar("T")
Cells = Mapping[tuple[int, int], float]
"""Entries of a table by fund and session."""


@dataclass(frozen=True)
class Scene:
    """Everything drawn of a market; tuples have an entry a session, cells one by fund and session.

    ``moves`` are those of the index, ``jumps`` factors of one fund alone.  Opens, lows and highs
    are given as the part of the move that the open has made, and as factors of the lower and the
    higher of open and close.  ``missing`` are sessions without a price of a fund, ``cash_flows``
    fractions of the ``cash`` that one starts with.
    """

    cash: float
    start: str
    book: str
    rules_as_of: date | None
    multiples: tuple[int, ...]
    first_prices: tuple[float, ...]
    moves: tuple[float, ...]
    open_parts: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    volatility: tuple[float, ...]
    jumps: Cells
    splits: Cells
    dividends: Cells
    missing: frozenset[tuple[int, int]]
    rate: float
    charges_sales: bool
    borrow_rates: Cells
    borrow_states: Mapping[tuple[int, int], str]
    cash_flows: Mapping[int, float]

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(f"SP500?L={m}&D={i}" for i, m in enumerate(self.multiples))

    def table(self, cells: Cells, default: float, *, onwards: bool = False) -> Floats:
        """The cells by session and fund; ``onwards`` they hold until the next one."""
        table = np.full((len(self.moves), len(self.multiples)), default)
        for (fund, session), entry in sorted(cells.items()):
            table[session : None if onwards else session + 1, fund] = entry
        return table


def market_in(scene: Scene) -> Market:
    """The market of a scene."""
    ratios = scene.table(scene.splits, 1.0)
    growth = np.maximum(1.0 + np.outer(scene.moves, scene.multiples), LEAST_GROWTH)
    growth *= scene.table(scene.jumps, 1.0) / ratios
    closes = np.maximum(np.array(scene.first_prices) * growth.cumprod(axis=0), LEAST_PRICE_USD)
    before = np.vstack([closes[:1], closes[:-1] / ratios[1:]])
    opens = before * (closes / before) ** np.array(scene.open_parts)[:, None]
    lows = np.minimum(opens, closes) * np.array(scene.lows)[:, None]
    highs = np.maximum(opens, closes) * np.array(scene.highs)[:, None]
    for fund, session in scene.missing:
        for prices in (opens, highs, lows, closes):
            prices[session, fund] = np.nan
    market = market_of(
        dict(zip(scene.symbols, closes.T.tolist(), strict=True)),
        start=scene.start,
        rate=scene.rate,
        rules_as_of=scene.rules_as_of,
        book=BOOKS[scene.book],
        fees=scene.charges_sales,
    )
    states = {place: BORROW_STATES[word] for place, word in scene.borrow_states.items()}
    flows = [scene.cash * scene.cash_flows.get(t, 0.0) for t in range(len(scene.moves))]
    tape = retaped(
        market.tape,
        opens=opens, highs=highs, lows=lows, closes=closes, splits=ratios,
        dividends=scene.table(scene.dividends, 0.0),
        volatility=np.array(scene.volatility),
        borrow_rates=scene.table(scene.borrow_rates, 0.04, onwards=True),
        borrow_states=scene.table(states, BORROW_STATES["available"], onwards=True),
        cash_flows=np.array(flows),
    )  # fmt: skip
    expiries = np.append(market.tape.dates[2::2], market.tape.dates[-1] + 30.0)
    history = replace(history_of(tape), index=np.array([0.0, *scene.moves[1:]]))
    return replace(market, tape=tape, expiries=expiries, history=history)


@st.composite
def scenes(draw: st.DrawFn, *, gaps: bool = True, books: tuple[str, ...] = tuple(BOOKS)) -> Scene:
    """Moves to a third of the index, jumps of one fund, and whatever else a session can bring.

    Without ``gaps`` every fund has a price on every session.
    """
    n = draw(st.integers(4, 9))
    multiples = draw(st.lists(st.sampled_from([3, 2, 1, -1, -2, -3]), min_size=1, max_size=3))
    places = st.tuples(st.integers(0, len(multiples) - 1), st.integers(0, n - 1))

    def each(strategy: st.SearchStrategy[T], count: int = n) -> tuple[T, ...]:
        return tuple(draw(st.lists(strategy, min_size=count, max_size=count)))

    def some(entries: list[float], most: int) -> Cells:
        return draw(st.dictionaries(places, st.sampled_from(entries), max_size=most))

    sessions = each(st.sampled_from(SESSIONS))
    words = st.sampled_from(sorted(BORROW_STATES))
    parts = st.sampled_from([-0.3, -0.3, -0.1, 0.2, 1.0, -5.0])
    return Scene(
        cash=draw(st.sampled_from([50_000.0, 2_500.0, 400_000.0])),
        start=draw(st.sampled_from(STARTS)),
        book=draw(st.sampled_from(books)),
        rules_as_of=draw(st.sampled_from([None, date(2010, 4, 30)])),
        multiples=tuple(multiples),
        first_prices=each(st.sampled_from([4.0, 15.0, 60.0, 300.0]), len(multiples)),
        moves=each(st.sampled_from(MOVES)),
        open_parts=tuple(session[0] for session in sessions),
        lows=tuple(session[1] for session in sessions),
        highs=tuple(session[2] for session in sessions),
        volatility=tuple(session[3] for session in sessions),
        jumps=some([0.02, 0.3, 0.7, 1.5, 4.0], 2),
        splits=some(RATIOS, 2),
        dividends=some([0.05, 1.0, 6.0], 2),
        missing=draw(st.frozensets(places, max_size=4)) if gaps else frozenset(),
        rate=draw(st.sampled_from([-0.005, 0.0, 0.03])),
        charges_sales=True,
        borrow_rates=some([0.0, 0.5, 3.0], 2),
        borrow_states=draw(st.dictionaries(places, words, max_size=3)),
        cash_flows=draw(st.dictionaries(st.integers(0, n - 1), parts, max_size=2)),
    )
