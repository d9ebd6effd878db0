"""Our commissions and fees for anybody's cerebro, with Backtrader's own broker.

``cerebro.broker.addcommissioninfo(FundCommInfo(plan="ibkr_fixed"))`` charges every trade as a study
would.  Two things differ, since Backtrader tells a commission scheme of one trade at a time and of
neither its date nor its order: the month's volume counts as none, so that each order is priced from
the first slice on, and an order that turns a long position short, or back, is charged as two.

Interest and borrow fees are the account's.  Here Backtrader's own parameter ``interest`` stands,
which is nothing unless it is set.
"""

from datetime import date
from typing import Any

import backtrader as bt

from levsleeve.errors import StudyError
from levsleeve.margin.charges import CommissionPlan, SaleFees, commission_plan, sale_fees
from levsleeve.margin.fees import (
    option_commission,
    regulatory_option_fees,
    regulatory_sale_fees,
    share_commission,
    share_pass_through,
)
from levsleeve.strategies.hedges import CONTRACT_SHARES

NO_FEES = SaleFees(0.0, 0.0, 0.0, 0.0, 0.0)


class FundCommInfo(bt.CommInfoBase):
    """Dollars of commission, regulators' fees and half-spread on a trade in shares.

    Parameters
    ----------
    plan
        A commission plan, or the name of one, such as ``ibkr_fixed`` or ``ibkr_tiered``.
    fees_on
        Trade date whose regulators' fees every trade pays; None: none.
    half_spread_rate
        Fraction of the price that each share costs beside.
    share_parts
        Parts of a share that trade: 1.0 whole shares only.

    Raises
    ------
    StudyError
        If a parameter cannot be right.
    ScheduleError
        If no plan has that name, or no fees are known on that date.

    Examples
    --------
    >>> FundCommInfo(plan="ibkr_fixed").getcommission(1000, 80.0)
    5.0
    """

    params: tuple[tuple[str, Any], ...] = (
        ("plan", "ibkr_fixed"),
        ("fees_on", None),
        ("half_spread_rate", 0.0),
        ("share_parts", 1.0),
        ("commtype", bt.CommInfoBase.COMM_PERC),
        ("stocklike", True),
        ("percabs", True),
    )

    def __init__(self, **unknown: object) -> None:
        super().__init__(**unknown)  # Backtrader has taken its parameters out, and refuses the rest
        _check_parameters(self.p.commission, self.p.half_spread_rate, self.p.fees_on)
        self._check_multiplier()
        plan = self.p.plan
        self._plan = plan if isinstance(plan, CommissionPlan) else commission_plan(plan)
        self._fees = NO_FEES if self.p.fees_on is None else sale_fees(self.p.fees_on)

    def _check_multiplier(self) -> None:
        """Backtrader multiplies the profit on shares, but not their value."""
        if self.p.mult != 1.0:
            raise StudyError(
                f"mult: {self.p.mult!r}; 1.0 is right for shares, and OptionCommInfo for options"
            )

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:  # noqa: ARG002, FBT001  (Backtrader's signature)
        """Dollars of all costs; ``size`` is negative on a sale."""
        units = abs(float(size))
        commission = share_commission(units, price, self._plan)
        fees = share_pass_through(units, price, self._plan)
        if size < 0:
            fees += regulatory_sale_fees(units, price, self._fees)
        return float(units * price * self.p.half_spread_rate + commission + fees)

    def getsize(self, price: float, cash: float) -> float:
        """Shares, or tradable parts of them, that so many dollars pay."""
        return float(int(cash * self.p.share_parts / price)) / self.p.share_parts


class OptionCommInfo(FundCommInfo):
    """The same for options: sizes are contracts on ``mult`` shares, prices premiums per share.

    Backtrader leaves the multiplier of what trades like a stock out of its value; here it counts.
    """

    params = (("mult", CONTRACT_SHARES),)

    def _check_multiplier(self) -> None:
        """A contract is on some shares."""
        if not (isinstance(self.p.mult, int | float) and self.p.mult > 0.0):
            raise StudyError(f"mult: {self.p.mult!r}; a number above 0 is right, such as 100.0")

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:  # noqa: ARG002, FBT001  (Backtrader's signature)
        """Dollars of all costs; ``size`` is negative on a sale."""
        contracts, shares = abs(float(size)), float(self.p.mult)
        spread = contracts * shares * price * self.p.half_spread_rate
        commission = option_commission(contracts, price, self._plan)
        fees = regulatory_option_fees(contracts, shares, price, size < 0, self._fees)
        return float(spread + commission + fees)

    def getsize(self, price: float, cash: float) -> float:
        """Whole contracts that so many dollars pay."""
        return super().getsize(price * self.p.mult, cash)

    def getoperationcost(self, size: float, price: float) -> float:
        """Dollars that so many contracts cost, whatever their sign."""
        return float(super().getoperationcost(size, price) * self.p.mult)

    def getvaluesize(self, size: float, price: float) -> float:
        """Signed dollars that so many contracts are worth."""
        return float(super().getvaluesize(size, price) * self.p.mult)

    def getvalue(self, position: bt.Position, price: float) -> float:
        """Dollars that a position is worth to Backtrader."""
        return float(super().getvalue(position, price) * self.p.mult)


def _check_parameters(commission: object, half_spread_rate: object, fees_on: object) -> None:
    """Refuse what would charge nothing, or too much, in silence."""
    if commission != 0.0:
        raise StudyError(f"commission: {commission!r}; the plan's is charged, so that 0.0 is right")
    if not (isinstance(half_spread_rate, int | float) and 0.0 <= half_spread_rate < 1.0):
        raise StudyError(
            f"half_spread_rate: {half_spread_rate!r}; a fraction of the price from 0 to below 1 "
            "is right, such as 0.0002"
        )
    if fees_on is not None and type(fees_on) is not date:
        raise StudyError(
            f"fees_on: {fees_on!r}; a date such as date(2018, 12, 31), or None, is right"
        )
