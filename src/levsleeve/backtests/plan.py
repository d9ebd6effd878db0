"""A sleeve as numbers: what compiled rules decide by, over the sessions of one market.

``planning`` makes a plan; here is what its places mean.
"""

from typing import NamedTuple

from levsleeve.compiled import Floats, inner_rule
from levsleeve.strategies.limits import N_LIMITS, hold_to_policy

BAND, PUTS, PUT_FUND, MONEYNESS, TENOR_DAYS, COVERAGE = range(N_LIMITS, N_LIMITS + 6)
WATCHES, TRIMS_DAILY, HAS_CORE, BASE_GROSS = range(12, 16)
HAS_LADDER, HYSTERESIS, COOL_OFF, RETURN_SESSIONS, SEES_EXTREMES = range(16, 21)
HAS_EXITS, MAX_DRAWDOWN, TAKE_PROFIT, MAX_DAYS, ON_CALL, MAX_HOUSE_RATE = range(21, 27)
EXIT_COOL_OFF, REENTRY = 27, 28
N_PLAN_FIELDS = 29
"""Places of ``Plan.numbers``, behind those of ``strategies.limits``: the least deviation that is
traded, and of protective puts: 1.0 if there are any, their fund's number, strike over close,
calendar days to expiry and fraction of the shares covered.  ``WATCHES`` is 1.0 where something
looks at the account on every session; the base weights of what is sized sum up, without signs, to
``BASE_GROSS``.  Then the ladder of ``strategies.stop_flight`` and the numbers of
``strategies.exits``."""

DUE, FILTER, FALL, RISE = range(4)
LEVELS = 4
BRANCHES = 8
"""Columns of ``Plan.course``: 1.0 where weights are set anew, 1.0 while the filter of the exits is
on, the index moves of the reserve, the four levels of stop-flight, and two for each branch of the
sizing rule: its signal, and its floor."""

SIGNAL, FLOOR = 0, 1
MULTIPLIER, TRAILING = 0, 1


class Plan(NamedTuple):
    """What a sleeve decides by.

    ``funds`` (n_funds, 3) has the columns of ``strategies.limits``, ``course`` (n_sessions, 8 and
    two a branch) and ``branches`` (n_branches, 2: multiplier and trailing floor) those above.
    ``weights`` and maintenance ``rates`` (n_sessions, n_funds) are base weights and the rates on
    the side of each, ``covariances`` (n_sessions, n_funds**2) of returns; one row stands for all
    sessions where they do not move or nothing asks for them.  ``expiries`` are the listed ones,
    rising date ordinals.
    """

    numbers: Floats
    funds: Floats
    course: Floats
    branches: Floats
    weights: Floats
    rates: Floats
    covariances: Floats
    expiries: Floats


@inner_rule
def hold_to_plan(weights: Floats, plan: Plan, t: int) -> None:
    """Lower the weights until the policy of a plan holds on session ``t``."""
    hold_to_policy(
        weights, plan.funds, plan.numbers, plan.covariances[min(t, plan.covariances.shape[0] - 1)],
        plan.rates[min(t, plan.rates.shape[0] - 1)], plan.course[t, FALL], plan.course[t, RISE],
    )  # fmt: skip
