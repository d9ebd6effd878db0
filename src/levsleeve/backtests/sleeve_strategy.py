"""The Backtrader strategy that carries out a sleeve: it translates and decides nothing itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import new_class
from typing import Any, ClassVar, cast

import backtrader as bt

from levsleeve.backtests.account_table import FILLS
from levsleeve.backtests.bookkeeping import drain
from levsleeve.backtests.decisions import decide
from levsleeve.backtests.measures import Standing, session_return, standing_of
from levsleeve.backtests.memory import EQUITY, GROWTH, PEAK, no_memory
from levsleeve.backtests.needs import Needs
from levsleeve.backtests.plan import BASE_GROSS, BRANCHES
from levsleeve.backtests.planning import plan_of
from levsleeve.backtests.waiting import CONTRACT, DECIDED_ON, WANTED, no_orders
from levsleeve.compiled import Floats
from levsleeve.errors import LevsleeveError, StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.account import utilization
from levsleeve.strategies.own_rule import AccountSeen, OwnRule
from levsleeve.strategies.sleeve import Sleeve
from levsleeve.strategies.sleeve_checks import MOST_WEIGHT

ORDERING = ("buy", "sell", "close", "cancel", "getsizing")
"""What a strategy orders by."""


def _function(strategy: type[bt.Strategy], name: str) -> object:
    """The function behind a method of a class."""
    method = getattr(strategy, name)
    return getattr(method, "__func__", method)


class SleeveStrategy(bt.Strategy):
    """A sleeve as a Backtrader strategy.

    A subclass lists its parameters in ``params``, as any Backtrader strategy does, and describes
    the sleeve they make in ``describe``; sizes, cap and hedge follow from the description.
    """

    on_shortfall = "cut"
    """Openings that available funds do not cover are filled as far as they do."""

    rules: ClassVar[Mapping[str, Any]] = {}
    """Fields of its sleeve that a study sets."""

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:  # noqa: ARG003
        """The sleeve that these parameters make; ``parameters`` has one attribute per entry."""
        raise StudyError(
            f"{cls.__name__}: it describes no sleeve; "
            "a classmethod describe(cls, parameters) -> Sleeve is right"
        )

    @classmethod
    def described(cls, parameters: Any) -> Sleeve:
        """What ``describe`` answers; a failure inside it is told in one line.

        Raises
        ------
        StudyError
            If it fails, or answers with something else than a Sleeve.
        """
        try:
            sleeve = cls.describe(parameters)
        except LevsleeveError:
            raise
        except Exception as error:
            raise StudyError(
                f"{cls.__name__}.describe: it fails with {type(error).__name__}: {error}; "
                "one that returns a Sleeve is right"
            ) from error
        if not isinstance(sleeve, Sleeve):
            raise StudyError(
                f"{cls.__name__}.describe: it returns {type(sleeve).__name__}; a Sleeve is right"
            )
        return replace(sleeve, **cls.rules) if cls.rules else sleeve

    @classmethod
    def ruled(cls, rules: Mapping[str, Any]) -> "type[SleeveStrategy]":
        """The same strategy with these fields of its sleeve in place of those it describes."""
        named = {"rules": dict(rules), "__module__": cls.__module__, "__doc__": cls.__doc__}
        ruled = new_class(cls.__name__, (cls,), exec_body=lambda body: body.update(named))
        return cast("type[SleeveStrategy]", ruled)

    @classmethod
    def run_needs(cls, parameters: Any) -> Needs:
        """The feeds of the sleeve that these parameters make, and where its hedge is held."""
        sleeve = cls.described(parameters)
        return Needs(
            funds=sleeve.funds,
            slots=sleeve.slots,
            hedge="none" if sleeve.hedge is None else sleeve.hedge.kind,
            hedge_places=sleeve.hedge_places,
        )

    @classmethod
    def acts_by_itself(cls) -> bool:
        """Whether a subclass does more than describe a sleeve, so that only Backtrader runs it."""
        hooks = [name for name in dir(bt.Strategy) if name.startswith(("notify_", "next"))]
        hooks += ["__init__", "prenext", "start", "stop", "described", "run_needs", *ORDERING]
        return any(_function(cls, hook) is not _function(SleeveStrategy, hook) for hook in hooks)

    def __init__(self) -> None:
        self.sleeve = self.described(self.p)
        market = self.broker.market
        self.plan = plan_of(self.sleeve, market)
        self.decided = no_orders(len(market.funds), len(self.sleeve.slots))
        self.memory = no_memory(len(market.funds))
        self.waiting: dict[int, Any] = {}

    def next(self) -> None:
        """Decide at this close what to hold from the fill on, and order it."""
        broker, t = self.broker, self.broker.session
        if broker.ended:
            return
        account, tape, parts = broker.account, broker.market.tape, broker.terms.share_parts
        standing, fill = standing_of(account, tape, t), FILLS[broker.fill]
        rule = self.sleeve.rule
        if isinstance(rule, OwnRule) and rule.reads_account:
            self._ask(rule, standing)
        decide(account, self.decided, self.memory, tape, t, fill, self.plan, parts, standing)
        drain(broker)
        for place, row in enumerate(self.decided):
            if row[DECIDED_ON] == t:
                self._order(place, row)

    def _ask(self, rule: OwnRule, standing: Standing) -> None:
        """Ask a rule of one's own that sees the account, and write its answer into the plan."""
        broker, t = self.broker, self.broker.session
        equity, before, growth = standing.equity, self.memory[EQUITY], self.memory[GROWTH]
        if before > 0.0:
            growth *= 1.0 + session_return(broker.account, before, equity)
        peak = max(growth, self.memory[PEAK])
        used = utilization(standing.maintenance_margin, standing.equity_with_loan_value)
        seen = AccountSeen(float(equity), float(growth), float(peak), float(used))
        history = broker.market.history
        answer = rule.answer(history.until(history.first + t), seen)
        most = MOST_WEIGHT / self.plan.numbers[BASE_GROSS]
        self.plan.course[t, BRANCHES] = min(answer, most)

    def _order(self, place: int, row: Floats) -> None:
        """Order what was decided for one place, instead of what still waits there."""
        broker, wanted = self.broker, float(row[WANTED])
        if place in self.waiting:
            broker.cancel(self.waiting.pop(place))
        if wanted == 0.0:
            return
        named = {}
        if broker.names[place] in self.sleeve.slots and wanted > 0.0:
            _, strike, expiry, _, fund = row[CONTRACT:]
            ends = date.fromordinal(int(expiry))
            symbol = broker.market.symbols[int(fund)]
            named = {"contract": OptionContract(symbol, "put", float(strike), ends)}
        trade = self.buy if wanted > 0.0 else self.sell
        order = trade(data=broker.data_at(place), size=abs(wanted), **named)
        self.waiting[place] = order
