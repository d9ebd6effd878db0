"""The Backtrader strategy that carries out a sleeve: it translates and decides nothing itself."""

from datetime import date
from typing import Any

import backtrader as bt

from levsleeve.backtests.needs import Needs
from levsleeve.backtests.tape import DATE
from levsleeve.errors import LevsleeveError, StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.book import CONTRACTS, EXPIRY
from levsleeve.strategies.hedges import nearest_expiry, put_contracts, put_strike
from levsleeve.strategies.sizing import (
    capped_weight,
    outside_band,
    rebalance_sessions,
    target_shares,
)
from levsleeve.strategies.sleeve import ProtectivePut, Sleeve


class SleeveStrategy(bt.Strategy):
    """A sleeve as a Backtrader strategy.

    A subclass lists its parameters in ``params``, as any Backtrader strategy does, and describes
    the sleeve they make in ``describe``; sizes, cap and hedge follow from the description.
    """

    on_shortfall = "cut"
    """Openings that available funds do not cover are filled as far as they do."""

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
        return sleeve

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

    def __init__(self) -> None:
        self.sleeve = self.described(self.p)
        market = self.broker.market
        self.weights = self.sleeve.targets
        self.due = rebalance_sessions(market.sessions, self.sleeve.rebalance)
        self.leveraged = {fund.symbol: fund.is_leveraged for fund in market.funds}
        self.planned: dict[str, float] = {}

    def next(self) -> None:
        """Decide at this close what to hold from the next one on: sizes first, then the hedge."""
        self.planned = {}
        if self.due[self.broker.session]:
            self._resize()
        if isinstance(self.sleeve.hedge, ProtectivePut):
            self._roll(self.sleeve.hedge)

    def _resize(self) -> None:
        """Order every fund to its capped weight where it is outside the band."""
        equity = self.broker.getvalue()
        gross, parts = self.sleeve.leveraged_weight, self.broker.terms.share_parts
        for symbol, weight in self.weights.items():
            fund = self.getdatabyname(symbol)
            price, held = fund.close[0], self.getposition(fund).size
            allowed = capped_weight(weight, self.leveraged[symbol], gross, self.sleeve.cap)
            if outside_band(float(held), price, allowed, equity, self.sleeve.band):
                self.planned[symbol] = target_shares(allowed, equity, price, parts)
                self.order_target_size(data=fund, target=self.planned[symbol])

    def _roll(self, put: ProtectivePut) -> None:
        """Buy the next put when none will be held where this order fills."""
        broker = self.broker
        tape = broker.market.tape
        filled_on = broker.session + (broker.fill != "same_close")
        if filled_on >= len(tape.dates):
            return
        slot = self.getdatabyname(self.sleeve.slots[0])
        coming = tape.sessions[filled_on, DATE]
        k = broker.slot_of(slot)
        settles_first = (
            broker.fill == "next_close" and broker.account.book.slots[k, EXPIRY] <= coming
        )
        if broker.account.book.slots[k, CONTRACTS] > 0.0 and not settles_first:
            return
        fund = self.getdatabyname(put.fund)
        if not fund.close[0] > 0.0:  # also without a price
            return
        shares = self.planned.get(put.fund, float(self.getposition(fund).size))
        contracts = put_contracts(shares, put.coverage)
        expiry = nearest_expiry(coming, broker.market.expiries, put.tenor_days)
        if contracts <= 0.0 or expiry == 0.0:
            return
        strike = put_strike(fund.close[0], put.moneyness)
        contract = OptionContract(put.fund, "put", strike, date.fromordinal(int(expiry)))
        self.buy(data=slot, size=contracts, contract=contract)
