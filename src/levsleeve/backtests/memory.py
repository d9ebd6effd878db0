"""What a sleeve remembers from close to close: growth, peaks, when it came in, where it stands."""

import math

import numpy as np

from levsleeve.backtests.measures import session_return
from levsleeve.backtests.plan import HAS_CORE, Plan
from levsleeve.backtests.state import OPTION, PRICE, Account
from levsleeve.compiled import Floats, hot_rule, inner_rule, rule
from levsleeve.strategies.limits import SCALED

EQUITY, GROWTH, PEAK, SLEEVE_GROWTH, SLEEVE_PEAK, SLEEVE_COSTS, ENTRY_GROWTH, ENTRY_DATE = range(8)
STANCE, OUT_SINCE, RUNG, CUT_ON, LIMIT, LIMIT_FROM, ASKED, OWED = range(8, 16)
N_MEMORY = 16
"""Places of a memory: equity at the last decision, what a dollar of the account became and its
highest, the same of the sleeve since it was entered, dollars that the sleeve's trades cost so far,
its growth and date when it was entered; ``STANCE``, the session since which it is out, the rung of
stop-flight, the session of its last cut, the scale that it allows now and just after the cut, the
scale that sizing asked for last, and 1.0 where a rebalancing was put off by a cut.  Behind them two
numbers a fund: the weights that were aimed at last, and room to reckon."""

NEW, HELD, OUT = 0.0, 1.0, 2.0
"""Stances: not entered yet, held, left."""


def no_memory(n_funds: int) -> Floats:
    """The memory of a sleeve that has decided nothing yet."""
    memory = np.zeros(N_MEMORY + 2 * n_funds)
    clear_memory(memory)
    return memory


@rule
def clear_memory(memory: Floats) -> None:
    """Forget everything."""
    memory[:] = 0.0
    memory[GROWTH] = memory[PEAK] = memory[SLEEVE_GROWTH] = memory[SLEEVE_PEAK] = 1.0
    memory[ENTRY_GROWTH] = 1.0
    memory[LIMIT] = math.inf


@inner_rule
def observe(account: Account, memory: Floats, plan: Plan, equity: float) -> None:
    """Take the session's return into memory; ``equity`` is that of this close, in dollars.

    Without a core the sleeve's return is the account's.  Beside a core it is what its funds,
    distributions included, and its options earned, less what its trades cost, over the equity of
    the close before; interest is the account's.
    """
    before = memory[EQUITY]
    costs = _costs_of_sleeve(account, plan)
    if before > 0.0:
        earned = session_return(account, before, equity)
        memory[GROWTH] *= 1.0 + earned
        if plan.numbers[HAS_CORE] != 0.0:
            n_funds = plan.funds.shape[0]
            gain = account.flows[OPTION] - (costs - memory[SLEEVE_COSTS])
            for i in range(n_funds):
                if plan.funds[i, SCALED] != 0.0:
                    gain += account.flows[PRICE + i] + account.flows[PRICE + n_funds + i]
            earned = max(gain / before, -1.0)
        memory[SLEEVE_GROWTH] *= 1.0 + earned
    memory[EQUITY], memory[SLEEVE_COSTS] = equity, costs
    memory[PEAK] = max(memory[PEAK], memory[GROWTH])
    memory[SLEEVE_PEAK] = max(memory[SLEEVE_PEAK], memory[SLEEVE_GROWTH])


@hot_rule
def _costs_of_sleeve(account: Account, plan: Plan) -> float:
    """Dollars that the trades of what is sized, and of its options, cost so far."""
    total, n_funds = 0.0, plan.funds.shape[0]
    for place in range(account.costs.size):
        if place >= n_funds or plan.funds[place, SCALED] != 0.0:
            total += account.costs[place]
    return total
