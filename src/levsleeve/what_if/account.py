"""An account at hand: a snapshot turned into the arrays that the rules read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from levsleeve.compiled import Floats
from levsleeve.errors import AccountError, LevsleeveError
from levsleeve.margin.account import (
    boxed_requirement,
    cushion,
    loan_value_equity,
    margin_requirement,
    option_loan_value,
    option_value,
    share_value,
    utilization,
)
from levsleeve.margin.book import Book, FundTerms, book_of
from levsleeve.margin.combination import (
    END_OF_DAY,
    INITIAL_MARGIN,
    MAINTENANCE,
    side_requirement,
)
from levsleeve.margin.house import LONG_RATE, SHORT_RATE
from levsleeve.margin.profile import load_profile
from levsleeve.margin.requirement import maintenance_per_share
from levsleeve.margin.rulebook import Rulebook, rulebook
from levsleeve.margin.schedule import BENCHMARK_CLASSES, HEDGE_RELIEF
from levsleeve.pricing.black_scholes import CALL, PUT
from levsleeve.what_if.reading import Reading
from levsleeve.what_if.refusals import (
    refuse_debts,
    refuse_endless_rates,
    refuse_unknown_state,
)
from levsleeve.what_if.snapshot import (
    FundAtHand,
    OptionHolding,
    ShareHolding,
    Snapshot,
    fund_at_hand,
    holdings_of,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The headline quantities of an account; dollars, rates and shares as fractions.

    ``utilization`` is maintenance over equity with loan value and infinite where that is not
    positive; ``cushion`` is excess liquidity over net liquidation.

    References
    ----------
    Interactive Brokers, key margin definitions.
    """

    long_market_value_usd: float
    short_market_value_usd: float
    net_liquidation_usd: float
    equity_with_loan_value_usd: float
    option_loan_value_usd: float
    maintenance_margin_usd: float
    initial_margin_usd: float
    end_of_day_initial_usd: float
    excess_liquidity_usd: float
    available_funds_usd: float
    deficiency_usd: float
    utilization: float
    cushion: float


@dataclass(frozen=True, slots=True)
class AccountAtHand:
    """An account as the rules see it.

    ``positions`` holds net shares; ``boxed`` are the shares per fund held long and short at once.
    """

    on: date
    cash_usd: float
    funds: tuple[FundAtHand, ...]
    options: tuple[OptionHolding, ...]
    positions: Book
    boxed: Floats
    rulebook: Rulebook
    terms: FundTerms

    @property
    def rules_on(self) -> date:
        """The day whose rules apply."""
        return self.rulebook.rules_as_of or self.on

    def place(self, symbol: str) -> int:
        """The number of a fund in the arrays."""
        return [fund.symbol for fund in self.funds].index(symbol)

    def figures(self) -> Figures:
        """The headline quantities."""
        positions, terms = self.positions, self.terms
        boxed_value = float((self.boxed * positions.marks).sum())
        values = positions.shares * positions.marks
        loanable = float(loan_value_equity(self.cash_usd, positions, terms.rules))
        net_liquidation = self.cash_usd + float(share_value(positions) + option_value(positions))
        maintenance = self.requirement(MAINTENANCE)
        initial = self.requirement(INITIAL_MARGIN)
        excess = loanable - maintenance
        return Figures(
            long_market_value_usd=float(values[values > 0.0].sum()) + boxed_value,
            short_market_value_usd=float(-values[values < 0.0].sum()) + boxed_value,
            net_liquidation_usd=net_liquidation,
            equity_with_loan_value_usd=loanable,
            option_loan_value_usd=float(option_loan_value(positions, terms.rules)),
            maintenance_margin_usd=maintenance,
            initial_margin_usd=initial,
            end_of_day_initial_usd=self.requirement(END_OF_DAY),
            excess_liquidity_usd=excess,
            available_funds_usd=loanable - initial,
            deficiency_usd=max(0.0, -excess),
            utilization=float(utilization(maintenance, loanable)),
            cushion=float(cushion(excess, net_liquidation)),
        )

    def requirement(self, kind: float) -> float:
        """Dollars that all positions require, boxed ones too; ``kind`` as in ``combination``."""
        boxed = boxed_requirement(self.boxed, self.positions, self.terms, kind)
        return float(margin_requirement(self.positions, self.terms, kind)) + float(boxed)

    def per_share(self, i: int, kind: float, *, short: bool) -> float:
        """Dollars that one unhedged share of fund ``i`` requires on one side."""
        return float(side_requirement(self.positions, i, short, self.terms, kind))

    def day_trading_rate(self, symbol: str, *, scales: bool) -> float:
        """Long maintenance of a fund as a fraction, by its multiple only where ``scales``."""
        i, price = self.place(symbol), float(self.positions.marks[self.place(symbol)])
        multiple = self.terms.multiples[i] if scales else 1.0
        width, overlay, short = self.terms.benchmark_classes[i], self.terms.overlays[i], False
        each = maintenance_per_share(price, multiple, short, width, overlay, self.terms.rules)
        return float(each) / price

    def traded(self, i: int, shares: float, fee_usd: float = 0.0) -> "AccountAtHand":
        """The account after signed ``shares`` more of fund ``i`` at its price."""
        traded = Book(self.positions.funds.copy(), self.positions.slots)
        traded.shares[i] += shares
        paid = shares * float(traded.marks[i]) + fee_usd
        return replace(self, cash_usd=self.cash_usd - paid, positions=traded)

    def after_expiry(self) -> "AccountAtHand":
        """The account once its options have settled in cash at these prices."""
        held = self.positions
        spots = held.marks[held.underlyings.astype(int)]
        intrinsic = np.maximum(0.0, held.rights * (spots - held.strikes))
        settled = float((held.contracts * held.multipliers * intrinsic).sum())
        return replace(
            self,
            cash_usd=self.cash_usd + settled,
            options=(),
            positions=_positions(held.shares, held.marks, (), {}),
        )

    def under_house_rate(self, rate: float) -> "AccountAtHand":
        """The account with a flat house rate on leveraged funds, on both sides."""
        overlays = self.terms.overlays.copy()
        leveraged = np.abs(self.terms.multiples) > 1.0
        for place in (LONG_RATE, SHORT_RATE):
            overlays[leveraged, place] = np.maximum(overlays[leveraged, place], rate)
        return replace(self, terms=self.terms._replace(overlays=overlays))

    def under_relief(self, relief: float) -> "AccountAtHand":
        """The account with the relief of long options (1.0) or without it (0.0)."""
        rules = self.terms.rules.copy()
        rules[HEDGE_RELIEF] = relief
        return replace(self, terms=self.terms._replace(rules=rules))


def account_at_hand(reading: Reading) -> AccountAtHand:
    """Turn a snapshot into the arrays that the rules read.

    Raises
    ------
    AccountError
        Naming the position, fund or switch that cannot be used.
    """
    snapshot, subject = reading.snapshot, reading.subject
    holdings = holdings_of(snapshot, subject)
    funds = _funds(snapshot, holdings, subject)
    try:
        profile = load_profile(snapshot.profile, reading.folder)
        book = rulebook(profile, snapshot.switches, snapshot.rules_on)
        refuse_unknown_state(book, snapshot)
        refuse_debts(book, snapshot, holdings)
        terms = _terms(book, snapshot, funds)
        refuse_endless_rates(terms)
    except LevsleeveError as error:
        raise AccountError(f"{subject}: {error}") from error
    places = {fund.symbol: i for i, fund in enumerate(funds)}
    options = tuple(h for h in holdings if isinstance(h, OptionHolding))
    net, boxed = _shares([h for h in holdings if isinstance(h, ShareHolding)], places)
    marks = np.array([fund.price_usd for fund in funds], dtype=np.float64)
    return AccountAtHand(
        on=snapshot.date_,
        cash_usd=snapshot.cash_usd,
        funds=funds,
        options=options,
        positions=_positions(net, marks, options, places),
        boxed=boxed,
        rulebook=book,
        terms=terms,
    )


def _funds(
    snapshot: Snapshot, holdings: Sequence[ShareHolding | OptionHolding], subject: str
) -> tuple[FundAtHand, ...]:
    """Every fund that is held, asked about or priced, in the order of mention."""
    needed_by: dict[str, str] = {}
    for holding in holdings:
        needed_by.setdefault(holding.fund, str(holding))
    if snapshot.order_fund is not None:
        needed_by.setdefault(snapshot.order_fund, "order")
    for key in ("cut_fund", "move_fund"):
        symbol = getattr(snapshot, key)
        if symbol is not None:
            needed_by.setdefault(symbol, key)
    for symbol in snapshot.funds:
        needed_by.setdefault(symbol, "funds")
    return tuple(
        fund_at_hand(symbol, snapshot, subject, needed) for symbol, needed in needed_by.items()
    )


def _terms(book: Rulebook, snapshot: Snapshot, funds: Sequence[FundAtHand]) -> FundTerms:
    """What the rulebook knows of the funds on the day."""
    volatility, moved = snapshot.volatility_index, snapshot.previous_index_return
    return book.terms(
        snapshot.date_,
        [fund.multiple for fund in funds],
        [BENCHMARK_CLASSES[fund.benchmark_class] for fund in funds],
        np.nan if volatility is None else volatility,
        np.nan if moved is None else moved,
    )


def _shares(holdings: Sequence[ShareHolding], places: dict[str, int]) -> tuple[Floats, Floats]:
    """Net shares per fund, and those held long and short at once."""
    sides = {"long": np.zeros(len(places)), "short": np.zeros(len(places))}
    for holding in holdings:
        sides[holding.side][places[holding.fund]] += holding.shares
    return sides["long"] - sides["short"], np.minimum(sides["long"], sides["short"])


def _positions(
    shares: Floats, marks: Floats, options: Sequence[OptionHolding], places: dict[str, int]
) -> Book:
    """Shares and options as arrays."""

    def column(values: Sequence[float]) -> Floats:
        return np.array(values, dtype=np.float64)

    return book_of(
        shares=shares,
        marks=marks,
        contracts=column([o.contracts if o.side == "long" else -o.contracts for o in options]),
        multipliers=column([o.shares_per_contract for o in options]),
        strikes=column([o.strike_usd for o in options]),
        expiries=column([float(o.expiry_date.toordinal()) for o in options]),
        rights=column([PUT if o.option == "put" else CALL for o in options]),
        underlyings=column([float(places[o.fund]) for o in options]),
        option_marks=column([o.price_usd for o in options]),
    )
