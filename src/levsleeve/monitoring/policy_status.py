"""What a sleeve's policy says of an account at hand: rung, caps, reserve, and what to do.

The rules are those that a back test decides by.
"""

import math
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import numpy as np

from levsleeve.backtests.state import WHOLE_SHARES, tradable_part
from levsleeve.compiled import Floats
from levsleeve.monitoring.account_view import AccountView
from levsleeve.strategies.limits import (
    DELTA_CAP,
    LEVERAGED,
    MULTIPLE,
    RISK_CAP,
    SCALED,
    SINGLE_CAP,
    TOLERANCE,
    gross_leveraged,
    hold_to_policy,
    least_reserve,
    net_delta,
)
from levsleeve.strategies.sleeve import Sleeve, limits_of
from levsleeve.strategies.stop_flight import (
    CALM,
    CUT_TO,
    DERISK,
    FLATTEN,
    WARN,
    StopFlight,
    kept_part,
    rung_of,
)
from levsleeve.what_if.status import MarginStatus

Verdict = Literal["ok", "warn", "act", "call"]
EXIT_CODES = {"ok": 0, "warn": 10, "act": 11, "call": 12}
"""What a process ends with, so that a scheduler can tell them apart."""
LEVELS = ("warn", "derisk", "flatten", "cut_to")
RUNGS = ("calm", "warn", "derisk", "flatten")


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """An account under the policy of a sleeve; weights are signed fractions of equity.

    ``levels`` are the utilizations that warn, derisk and flatten, and what a cut aims at; empty
    without a ladder.  ``reserve`` is the least excess liquidity after the reserve's index moves at
    its house rate, as a fraction of equity, and ``reserve_kept`` what the policy wants of it; nan
    without a reserve.  ``expiry`` is the next day on which options leave, ``utilization_after`` the
    utilization once all of them have left.  ``shares_to_trade`` is what the policy asks, signed.
    """

    sleeve: str
    verdict: Verdict
    rung: str
    utilization: float
    levels: tuple[float, ...]
    weights: dict[str, float]
    gross_leveraged: float
    cap: float
    single_fund_cap: float
    delta: float
    delta_cap: float
    reserve: float
    reserve_kept: float
    expiry: date | None
    days_to_expiry: int | None
    utilization_after: float
    shares_to_trade: dict[str, float]
    actions: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Of a process that watches the account."""
        return EXIT_CODES[self.verdict]

    def as_dict(self) -> dict[str, Any]:
        """Every figure under stable names; None for what is infinite or unknown."""
        told = asdict(self)
        told["expiry"] = None if self.expiry is None else self.expiry.isoformat()
        told["levels"] = dict(zip(LEVELS, self.levels, strict=False))
        told["exit_code"] = self.exit_code
        return {
            name: None if isinstance(entry, float) and not math.isfinite(entry) else entry
            for name, entry in told.items()
        }


def policy_status(
    status: MarginStatus, sleeve: Sleeve, name: str, moves: tuple[float, float]
) -> PolicyStatus:
    """The status of an account under the policy of a sleeve.

    ``moves`` are the reserve's fall and rise of the index, fractions above 0.  Every leveraged fund
    of the account counts, whether the sleeve names it or not; funds of the sleeve's core are not
    cut by its ladder.
    """
    account = status.account
    view = AccountView.of(account, sleeve, status.figures.net_liquidation_usd)
    levels = _levels(sleeve.stop_flight, view)
    used = status.figures.utilization
    rung = CALM if levels is None else rung_of(used, levels, CALM, 0.0)
    part = _kept(status, view, levels, used)
    allowed = _allowed(view, sleeve, moves)
    trades, actions = _trades(status, view, part, allowed)
    after = _after_expiry(status)
    reserve = _reserve(view, sleeve, moves)
    kept = math.nan if sleeve.reserve is None else sleeve.reserve.keep
    words = [*_ladder_words(used, levels, rung), *_cap_words(view, sleeve)]
    if reserve < kept - TOLERANCE:
        words.append(f"{reserve:.1%} of equity is left after the reserve's moves, below {kept:.1%}")
    actions = [*words, *actions]
    expiry = min((option.expiry_date for option in account.options), default=None)
    if expiry is not None and levels is not None and after >= levels[WARN] > used:
        actions.append(
            f"the options' relief ends with them, first on {expiry}: utilization would be "
            f"{after:.1%}, at or above the warning level {levels[WARN]:.1%}"
        )
    return PolicyStatus(
        sleeve=name,
        verdict=_verdict(status, rung, trades, actions),
        rung=RUNGS[int(rung)],
        utilization=used,
        levels=() if levels is None else tuple(levels.tolist()),
        weights=dict(zip(view.names, view.weights.tolist(), strict=True)),
        gross_leveraged=float(gross_leveraged(view.weights, view.funds)),
        cap=sleeve.cap,
        single_fund_cap=_or_infinite(sleeve.caps.single_fund),
        delta=float(net_delta(view.weights, view.funds)),
        delta_cap=_or_infinite(sleeve.caps.delta),
        reserve=reserve,
        reserve_kept=kept,
        expiry=expiry,
        days_to_expiry=None if expiry is None else (expiry - account.on).days,
        utilization_after=after,
        shares_to_trade=trades,
        actions=tuple(actions),
        notes=tuple(_notes(sleeve)),
    )


def _or_infinite(limit: float | None) -> float:
    return math.inf if limit is None else limit


def _levels(ladder: StopFlight | None, view: AccountView) -> Floats | None:
    """The four levels of the ladder at the account's own rates."""
    if ladder is None:
        return None
    held = np.where(view.funds[:, SCALED] != 0.0, view.shares, 0.0)
    multiples = view.funds[:, MULTIPLE].tolist()
    levels: Floats = ladder.levels(held.tolist(), multiples, view.rates[None, :])[0]
    return levels


def _kept(status: MarginStatus, view: AccountView, levels: Floats | None, used: float) -> float:
    """The part of what is sized that the ladder lets stand."""
    if levels is None or used < levels[DERISK]:
        return 1.0
    if used >= levels[FLATTEN]:
        return 0.0
    figures = status.figures
    sized = float((view.rates * np.abs(view.shares) * view.marks * view.funds[:, SCALED]).sum())
    maintenance = figures.maintenance_margin_usd
    loanable = figures.equity_with_loan_value_usd
    return float(kept_part(maintenance, min(sized, maintenance), loanable, levels[CUT_TO]))


def _limits(sleeve: Sleeve) -> Floats:
    """The limits that need no prices of the past."""
    limits = np.array(limits_of(sleeve))
    limits[RISK_CAP] = np.inf
    return limits


def _allowed(view: AccountView, sleeve: Sleeve, moves: tuple[float, float]) -> Floats:
    """The weights that caps and reserve allow, given those that are held."""
    allowed = view.weights.copy()
    if np.isinf(allowed).any():
        return np.zeros_like(allowed)
    n = len(allowed)
    hold_to_policy(allowed, view.funds, _limits(sleeve), np.zeros(n * n), view.rates, *moves)
    return allowed


def _trades(
    status: MarginStatus, view: AccountView, part: float, allowed: Floats
) -> tuple[dict[str, float], list[str]]:
    """Signed shares that ladder, caps and reserve ask to trade, the strictest of them."""
    equity = status.figures.net_liquidation_usd
    trades, words = {}, []
    for i, name in enumerate(view.names):
        held = float(view.shares[i])
        keeps = held * part if view.funds[i, SCALED] != 0.0 else held
        under_policy = float(allowed[i]) * equity / float(view.marks[i]) if equity > 0.0 else 0.0
        if abs(allowed[i]) < abs(view.weights[i]) - TOLERANCE and abs(under_policy) < abs(keeps):
            keeps = under_policy
        kept = float(tradable_part(keeps, WHOLE_SHARES)) if keeps != held else held
        if kept != held:
            trades[name] = kept - held
            verb = "buy back" if held < 0.0 else "sell"
            words.append(f"{verb} {abs(kept - held):,g} {name}, keep {abs(kept):,g}")
    if part == 0.0 and status.account.options:
        words.append("close the options with it")
    return trades, words


def _ladder_words(used: float, levels: Floats | None, rung: float) -> list[str]:
    """What the ladder says where it is not calm."""
    if levels is None or rung == CALM:
        return []
    if not math.isfinite(used):
        return ["no equity is left; sell the sleeve"]
    step = int(rung) - 1
    aim = f"; cut until it is {levels[CUT_TO]:.1%}" if step == DERISK else ""
    aim = "; sell the sleeve" if step == FLATTEN else aim
    return [f"utilization {used:.1%} is at or above {RUNGS[step + 1]} {levels[step]:.1%}{aim}"]


def _cap_words(view: AccountView, sleeve: Sleeve) -> list[str]:
    """Which caps the weights stand above."""
    found, limits = [], _limits(sleeve)
    if np.isinf(view.weights).any():
        return []
    gross = float(gross_leveraged(view.weights, view.funds))
    if gross > sleeve.cap + TOLERANCE:
        found.append(f"leveraged funds are {gross:.1%} of equity, above the cap {sleeve.cap:.1%}")
    for i, name in enumerate(view.names):
        weight = abs(float(view.weights[i])) * view.funds[i, LEVERAGED]
        if weight > limits[SINGLE_CAP] + TOLERANCE:
            found.append(
                f"{name} is {weight:.1%} of equity, above single_fund {limits[SINGLE_CAP]:.1%}"
            )
    delta = abs(float(net_delta(view.weights, view.funds)))
    if delta > limits[DELTA_CAP] + TOLERANCE:
        found.append(
            f"index exposure is {delta:.2f} turns of equity, above delta {limits[DELTA_CAP]:.2f}"
        )
    return found


def _reserve(view: AccountView, sleeve: Sleeve, moves: tuple[float, float]) -> float:
    """The least excess liquidity after the reserve's moves, as a fraction of equity."""
    if sleeve.reserve is None or np.isinf(view.weights).any():
        return math.nan
    return float(least_reserve(view.weights, view.funds, _limits(sleeve), view.rates, *moves))


def _after_expiry(status: MarginStatus) -> float:
    """Utilization once the options have left; now's without any."""
    after = status.after_expiry
    return (status.now if after is None else after).figures.utilization


def _verdict(
    status: MarginStatus, rung: float, trades: dict[str, float], actions: list[str]
) -> Verdict:
    """The gravest of what there is to say."""
    if status.now.called:
        return "call"
    if trades:
        return "act"
    return "warn" if rung > CALM or actions else "ok"


def _notes(sleeve: Sleeve) -> list[str]:
    """What a snapshot cannot show."""
    notes = []
    if sleeve.caps.risk_share is not None:
        notes.append("caps.risk_share needs past prices and is not looked at here")
    if sleeve.exits is not None:
        notes.append("exits depend on when the sleeve was entered and are not looked at here")
    if sleeve.sizing is not None:
        notes.append("the sizing rule is not asked: only what the policy forbids is traded")
    return notes
