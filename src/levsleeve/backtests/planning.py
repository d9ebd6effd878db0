"""A sleeve made a plan: everything that prices and rules alone decide, session by session."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from levsleeve.backtests.market import Market
from levsleeve.backtests.plan import (
    BRANCHES,
    DUE,
    FALL,
    FILTER,
    LEVELS,
    RISE,
    Plan,
)
from levsleeve.backtests.side_rates import side_rates
from levsleeve.compiled import Floats
from levsleeve.errors import StudyError
from levsleeve.strategies.branches import Branch, Seen
from levsleeve.strategies.cadence import rebalance_sessions
from levsleeve.strategies.exits import exit_numbers
from levsleeve.strategies.history import Base
from levsleeve.strategies.limits import (
    LEVERAGED,
    MULTIPLE,
    N_FUND_FACTS,
    SCALED,
    Reserve,
)
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.positions import ProtectivePut
from levsleeve.strategies.series import rolling_covariances, worst_moves
from levsleeve.strategies.sizing_rules import SizingRule
from levsleeve.strategies.sleeve import Sleeve, limits_of
from levsleeve.strategies.sleeve_checks import MOST_WEIGHT
from levsleeve.strategies.stop_flight import N_LEVELS


def plan_of(sleeve: Sleeve, market: Market) -> Plan:
    """The numbers of a sleeve whose funds are those of the market.

    Raises
    ------
    StudyError
        If a rule needs more sessions than there are, or does not answer with a number.
    """
    return Planner(market).plan(sleeve)


class Planner:
    """Makes plans of sleeves in one market; what several of them share is reckoned once."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._parts: dict[tuple[object, ...], _Parts] = {}

    def plan(self, sleeve: Sleeve) -> Plan:
        """The plan of one sleeve (see ``plan_of``)."""
        market = self._market
        targets = sleeve.targets
        weights = tuple(targets[symbol] for symbol in market.symbols)
        parts = self._parts_of(sleeve, weights)
        base = np.array(weights)
        standing = base[None, :] if parts.weights is None else parts.weights
        return Plan(
            numbers=numbers_of(sleeve, market.symbols, parts, base),
            funds=parts.funds,
            course=parts.course,
            branches=parts.limbs,
            weights=standing,
            rates=parts.rates,
            covariances=parts.covariances,
            expiries=market.expiries,
        )

    def _parts_of(self, sleeve: Sleeve, weights: tuple[float, ...]) -> "_Parts":
        """What prices and rules decide; a sleeve without rules shares it whatever its weights."""
        ruled = (sleeve.rule, sleeve.allocation, sleeve.reserve, sleeve.stop_flight, sleeve.exits)
        plain = all(rule is None for rule in ruled)
        signs = tuple(weight < 0.0 for weight in weights)
        key = (
            sleeve.rebalance, sleeve.rebalance_offset, sleeve.core_funds, sleeve.caps.risk_share,
            sleeve.caps.risk_window, *ruled, signs if plain else weights,
        )  # fmt: skip
        if key not in self._parts:
            self._parts[key] = _parts_of(sleeve, self._market, np.array(weights))
        return self._parts[key]


class _Parts(NamedTuple):
    """Parts of a plan, and the facts that its numbers need."""

    funds: Floats
    course: Floats
    limbs: Floats
    weights: Floats | None
    rates: Floats
    covariances: Floats
    sized: Floats
    reads_account: bool


def _parts_of(sleeve: Sleeve, market: Market, weights: Floats) -> _Parts:
    """Everything of a plan that prices and rules alone decide."""
    base, sized = _base(market, weights), _sized(sleeve, market)
    rates = _rates(sleeve, market, weights)
    first, rows = market.history.first, len(market.history.index)
    required = np.full((rows, 2), math.nan)
    required[first:] = rates @ np.abs(np.column_stack([weights * sized, weights * (1.0 - sized)]))
    sized_base = base._replace(weights=weights * sized)
    seen = Seen(market.history, sized_base, required[:, 0].copy(), required[:, 1].copy())
    branches = _branches(sleeve, market, seen)
    funds = np.zeros((len(weights), N_FUND_FACTS))
    funds[:, LEVERAGED] = [float(fund.is_leveraged) for fund in market.funds]
    funds[:, SCALED], funds[:, MULTIPLE] = sized, base.multiples
    limbs = [[branch.multiplier, branch.trailing] for branch in branches]
    return _Parts(
        funds=funds,
        course=_course(sleeve, market, seen, branches, rates),
        limbs=np.array(limbs, dtype=np.float64).reshape(len(branches), 2),
        weights=_weights(sleeve, market, weights, sized),
        rates=rates,
        covariances=_covariances(sleeve, market),
        sized=sized,
        reads_account=_reads_account(sleeve.rule)
        or any(branch.reads_account for branch in branches),
    )


def _reads_account(rule: SizingRule | OwnRule | None) -> bool:
    """Whether it is a rule of one's own that is asked as the run goes on."""
    return isinstance(rule, OwnRule) and rule.reads_account


def _sized(sleeve: Sleeve, market: Market) -> Floats:
    """1.0 for each fund of the sleeve, 0.0 for those of the core."""
    return np.array([float(symbol not in sleeve.core_funds) for symbol in market.symbols])


def _base(market: Market, weights: Floats) -> Base:
    """Base weights and what is known of the funds."""
    multiples = np.array([fund.multiple for fund in market.funds])
    return Base(weights, multiples, np.array([fund.running_cost_rate for fund in market.funds]))


def numbers_of(sleeve: Sleeve, symbols: Sequence[str], parts: _Parts, weights: Floats) -> Floats:
    """``Plan.numbers`` of a sleeve with these base weights, in the order of their places."""
    caps, ladder, put = sleeve.caps, sleeve.stop_flight, sleeve.hedge
    puts = (0.0, 0.0, 0.0, 0.0, 0.0)
    if isinstance(put, ProtectivePut):
        fund = float(symbols.index(put.fund))
        puts = (1.0, fund, put.moneyness, put.tenor_days, put.coverage)
    steps = (0.0, 0.0, 0.0, 0.0, 0.0)
    if ladder is not None:
        extremes = float(ladder.check == "intraday")
        waits = float(ladder.cool_off_sessions), float(ladder.return_sessions)
        steps = (1.0, ladder.hysteresis, *waits, extremes)
    looks = ladder is not None or sleeve.exits is not None or caps.enforce == "daily"
    return np.array(
        (
            *limits_of(sleeve),
            sleeve.band,
            *puts,
            float(looks or parts.reads_account),
            float(caps.enforce == "daily"),
            float(bool(sleeve.core)),
            float(np.abs(weights * parts.sized).sum()),
            *steps,
            float(sleeve.exits is not None),
            *exit_numbers(sleeve.exits),
        )
    )


def _weights(sleeve: Sleeve, market: Market, base: Floats, sized: Floats) -> Floats | None:
    """Base weights by session where an allocation moves them."""
    if sleeve.allocation is None:
        return None
    history = market.history
    _refuse_short_history("allocation", sleeve.allocation, market)
    found = sleeve.allocation.weights(history, base, sized)[history.first :]
    core_alone = np.where(sized == 0.0, base, 0.0)
    return np.ascontiguousarray(np.where(np.isnan(found), core_alone, found))


def _rates(sleeve: Sleeve, market: Market, base: Floats) -> Floats:
    """Maintenance rates by session and fund, where something looks at them; else one row of 0."""
    looks = (sleeve.reserve, sleeve.stop_flight, sleeve.exits)
    sees = sleeve.rule is not None and sleeve.rule.needs_rates
    if all(entry is None for entry in looks) and not sees:
        return np.zeros((1, len(base)))
    return side_rates(market.tape, np.where(base < 0.0, -1.0, 1.0))


def _covariances(sleeve: Sleeve, market: Market) -> Floats:
    """Covariances of the funds by session, for the cap on the share of risk."""
    history, n = market.history, len(market.funds)
    if sleeve.caps.risk_share is None:
        return np.zeros((1, n * n))
    _refuse_short_history("caps", sleeve.caps, market)
    found = rolling_covariances(history.funds, sleeve.caps.risk_window)[history.first :]
    return np.ascontiguousarray(found.reshape(len(found), n * n))


def _branches(sleeve: Sleeve, market: Market, seen: Seen) -> list[Branch]:
    """What the sizing rule says on each session of the history."""
    rule = sleeve.rule
    if rule is None:
        return []
    _refuse_short_history("sizing", rule, market)
    return rule.branches(seen)


def _refuse_short_history(key: str, rule: Any, market: Market) -> None:  # noqa: ANN401  (see below)
    """The window of a rule, an allocation or a filter must end before the study does."""
    rows = len(market.history.index) - 1
    if rule.longest > rows:
        named, window = _window_of(rule, key)
        raise StudyError(
            f"{named}: {window} looks {rule.longest} sessions back, but there are {rows} up to "
            f"{market.sessions[-1]:%Y-%m-%d}; a shorter window is right"
        )


def _window_of(rule: Any, key: str) -> tuple[str, int]:  # noqa: ANN401
    """The window that a rule needs most of: its key as a study writes it, and its length."""
    for number, inner in enumerate(getattr(rule, "rules", ())):
        if inner.longest == rule.longest:
            return _window_of(inner, f"{key}.rules.{number}")
    names = [name for name in ("min_window", "risk_window", "window") if hasattr(rule, name)]
    name = names[0]
    return f"{key}.{name}", getattr(rule, name)


def _course(
    sleeve: Sleeve, market: Market, seen: Seen, branches: Sequence[Branch], rates: Floats
) -> Floats:
    """``Plan.course`` of a sleeve."""
    history, n = market.history, len(market.sessions)
    course = np.zeros((n, BRANCHES + 2 * len(branches)))
    cadence, offset = sleeve.rebalance, sleeve.rebalance_offset
    course[:, DUE] = rebalance_sessions(market.sessions, cadence, offset)
    course[:, FILTER] = 1.0
    if sleeve.exits is not None and sleeve.exits.filter is not None:
        _refuse_short_history("exits.filter", sleeve.exits.filter, market)
        course[:, FILTER] = np.nan_to_num(sleeve.exits.filter.state(seen)[history.first :])
    if sleeve.exits is not None and sleeve.exits.max_house_rate is not None:
        sized = rates[:, seen.base.weights != 0.0]
        course[:, FILTER] *= (sized <= sleeve.exits.max_house_rate).all(axis=1)
    if sleeve.reserve is not None:
        course[:, FALL : RISE + 1] = _moves(sleeve.reserve, market)
    if sleeve.stop_flight is not None:
        targets = sleeve.targets
        weights = [targets[symbol] for symbol in market.symbols]
        multiples = [fund.multiple for fund in market.funds]
        levels = sleeve.stop_flight.levels(weights, multiples, rates)
        course[:, LEVELS : LEVELS + N_LEVELS] = levels
    most = MOST_WEIGHT / max(float(np.abs(seen.base.weights).sum()), 1e-12)
    for place, branch in enumerate(branches):
        signal = _known(branch.signal, sleeve, market)
        course[:, BRANCHES + 2 * place] = np.minimum(signal, most)
        course[:, BRANCHES + 2 * place + 1] = branch.floors[history.first :]
    return course


def _moves(reserve: Reserve, market: Market) -> Floats:
    """The reserve's index moves by session: a number, or the worst so far."""
    history = market.history
    worst = worst_moves(history.index, reserve.reset_sessions)[history.first :]
    for column, given in enumerate((reserve.fall, reserve.rise)):
        if given != "history":
            worst[:, column] = given
    return worst


def _known(signal: Floats, sleeve: Sleeve, market: Market) -> Floats:
    """A rule's answers on the study's sessions; 0 before its first, and always a number after."""
    first = market.history.first
    known = np.flatnonzero(~np.isnan(signal))
    if _reads_account(sleeve.rule):
        return np.zeros(len(signal) - first)  # written session by session
    begins = int(known[0]) if len(known) else len(signal)
    broken = np.flatnonzero(np.isnan(signal[begins:]) | (signal[begins:] < 0.0))
    if not len(known) or len(broken):
        row = (begins + int(broken[0]) if len(broken) else len(signal) - 1) - first
        day = market.sessions[max(row, 0)]
        raise StudyError(
            f"sizing: the rule answers {signal[row + first]:g} on {day:%Y-%m-%d}; "
            "a scale of at least 0 on every session is right"
        )
    return np.nan_to_num(signal[first:], nan=0.0, posinf=np.inf)
