"""An account at hand as the rules of ``strategies.limits`` take it."""

import math
from dataclasses import dataclass

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.instruments.fund import PLAIN_MULTIPLES
from levsleeve.margin.combination import MAINTENANCE
from levsleeve.strategies.limits import LEVERAGED, MULTIPLE, N_FUND_FACTS, SCALED
from levsleeve.strategies.sleeve import Sleeve
from levsleeve.what_if.account import AccountAtHand


@dataclass(frozen=True, slots=True)
class AccountView:
    """Funds in the order of the account: shares, dollars a share, signed weights, facts, rates."""

    names: tuple[str, ...]
    shares: Floats
    marks: Floats
    weights: Floats
    funds: Floats
    rates: Floats

    @classmethod
    def of(cls, account: AccountAtHand, sleeve: Sleeve, equity: float) -> "AccountView":
        """Of an account worth ``equity`` dollars; without equity, weights are infinite."""
        shares, marks = account.positions.shares, account.positions.marks
        funds = np.zeros((len(account.funds), N_FUND_FACTS))
        core = sleeve.core_funds
        for i, fund in enumerate(account.funds):
            leveraged = fund.multiple not in PLAIN_MULTIPLES
            listed = fund.symbol in sleeve.funds
            funds[i, LEVERAGED] = float(leveraged)
            funds[i, SCALED] = float(fund.symbol not in core and (leveraged or listed))
            funds[i, MULTIPLE] = fund.multiple
        rates = np.array(
            [
                account.per_share(i, MAINTENANCE, short=bool(shares[i] < 0.0)) / marks[i]
                for i in range(len(account.funds))
            ]
        )
        worth = equity if equity > 0.0 else math.nan
        weights = np.where(shares == 0.0, 0.0, shares * marks / worth)
        names = tuple(fund.symbol for fund in account.funds)
        return cls(names, shares, marks, np.nan_to_num(weights, nan=np.inf), funds, rates)
