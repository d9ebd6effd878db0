"""A Backtrader broker that keeps a real margin account.

Backtrader's own broker lends without limit, never calls and spends short proceeds freely.  This one
owns the cash and the positions through the compiled steps of a session; Backtrader keeps what it
is good at: orders, their life, and telling strategies about them.  Session ``t`` is handled in
``next``, before the strategies see it.
"""

from collections.abc import Sequence
from typing import Any

import backtrader as bt
import numpy as np

from levsleeve.backtests.account_table import FILLS, AccountTable, account_table
from levsleeve.backtests.bookkeeping import drain, scale_orders
from levsleeve.backtests.commission_info import FundCommInfo, OptionCommInfo
from levsleeve.backtests.external import external_flow
from levsleeve.backtests.fills import accept, work_pending
from levsleeve.backtests.forced import (
    buy_in,
    intraday_test,
    maintenance_test,
    special_memorandum_test,
    wipe_test,
)
from levsleeve.backtests.ledger import LedgerBuilder
from levsleeve.backtests.market import Market
from levsleeve.backtests.marks import expire, mark, mark_open
from levsleeve.backtests.measures import Measures, measure
from levsleeve.backtests.order_life import clip_to_reductions
from levsleeve.backtests.own_feeds import market_of_feeds
from levsleeve.backtests.own_settings import checked_cash, own_settings
from levsleeve.backtests.refused_settings import RefusedSettings
from levsleeve.backtests.restate import require_repeatable, restate_history
from levsleeve.backtests.state import (
    ALIVE,
    CLOSED_OUT,
    ENDED,
    EXTERNAL,
    WIPED_OUT,
    Account,
    Terms,
    new_account,
)
from levsleeve.backtests.steps import close_session, open_session
from levsleeve.backtests.tape import SPLIT_RATIO
from levsleeve.compiled import Floats
from levsleeve.errors import StudyError


class MarginBroker(RefusedSettings):
    """Holds a real margin account and fills a strategy's orders inside its rules.

    In a script of one's own: ``cerebro.setbroker(MarginBroker(account={"profile": "ibkr"}))``, with
    feeds of daily prices as traded, named by their tickers (see ``own_feeds``).

    Parameters
    ----------
    account
        The keys of a study's ``[account]``, as a mapping.
    cash, fill, intraday_test
        Dollars to start with, where orders fill, whether lows and highs are tested; None: the
        account's.
    on_shortfall
        ``"refuse"`` refuses an opening order that available funds do not cover (Backtrader status
        Margin); ``"cut"`` fills what they do cover.
    funds
        Daily multiple by feed name, of funds the catalogue does not know; 1.0 for a plain share.
    benchmark_rate
        The rate that interest stands on, a fraction a year: a number, or a series by date.
    volatility, volatility_model
        Implied volatility of the funds' index by date, a fraction, where options are traded; and
        the skew that prices them.
    rules_as_of
        A date whose rules hold on every session; None: each session's own.
    slots
        Names of the option slots; each needs a feed of that name (``feeds.slot_feed``).
    market, terms
        What a study's sessions bring and its broker charges, instead of feeds and account.

    Raises
    ------
    StudyError
        If a parameter cannot be right; on the first session, if a feed cannot.
    """

    params = (
        ("account", None),
        ("cash", None),
        ("fill", None),
        ("intraday_test", None),
        ("on_shortfall", "refuse"),
        ("funds", None),
        ("benchmark_rate", 0.0),
        ("volatility", None),
        ("volatility_model", "vix_standard_skew"),
        ("rules_as_of", None),
        ("slots", ()),
        ("market", None),
        ("terms", None),
    )

    market: Market
    terms: Terms
    account: Account

    def init(self) -> None:
        """Begin anew; Backtrader calls this once when built and again at the start."""
        self.table: AccountTable = account_table(self.p.account)
        self.p.cash = self.table.cash_usd if self.p.cash is None else checked_cash(self.p.cash)
        self.fill = self.table.fill if self.p.fill is None else self.p.fill
        if self.p.on_shortfall not in ("cut", "refuse"):
            raise StudyError(f"on_shortfall: {self.p.on_shortfall!r}; 'cut' or 'refuse' is right")
        if self.fill not in FILLS:
            raise StudyError(f"fill: {self.fill!r}; one of {', '.join(FILLS)} is right")
        given = self.p.intraday_test
        if not isinstance(given, bool | None):
            raise StudyError(f"intraday_test: {given!r}; True or False is right")
        self.tests_extremes = self.table.intraday_test if given is None else given
        self.own = own_settings(self.p)
        super().init()
        self.event_rows: list[tuple[int, Floats]] = []
        self.session = -1
        self.seen = -1
        self.moment = 0.0
        self._marked: Measures | None = None
        if self.p.market is not None:
            self._open_account(self.p.market, self.p.terms)

    def _open_account(self, market: Market, terms: Terms) -> None:
        """Open the account over the sessions of a market."""
        self.market, self.terms = market, terms
        symbols, slots = market.symbols, tuple(self.p.slots)
        self.names = (*symbols, *slots)
        self.places = {name: place for place, name in enumerate(self.names)}
        for symbol in symbols:
            shares = FundCommInfo(plan=terms.commission, share_parts=terms.share_parts)
            self.comminfo[symbol] = shares
        for slot in slots:
            self.comminfo[slot] = OptionCommInfo(plan=terms.commission)
        self.account = new_account(self.p.cash, len(symbols), len(slots))
        self.ledger = LedgerBuilder(market.sessions, symbols, slots, self.p.cash)

    def _begin(self) -> None:
        """What only the first session can do: read a script's own feeds, see what splits meet."""
        if self.p.market is None:
            market = market_of_feeds(self.cerebro, self.table, self.own)
            profile = market.rulebook.profile
            terms = self.table.terms(profile, market.symbols, self.p.volatility_model)
            self._open_account(market, terms)
        if (self.market.tape.splits[1:] != 1.0).any():
            require_repeatable(self.cerebro)

    # -- one session ------------------------------------------------------------------------------

    def next(self) -> None:
        """Everything that happens to the account on one session up to the strategy's decision.

        With ``same_close`` the session before is finished first: its orders fill at its close.
        """
        if self.session < 0:
            self._begin()
        if self._marked is not None:
            self._trade_and_close()
        if self.ended:
            return
        self.session += 1
        self.moment = bt.date2num(self.market.sessions[self.session])
        self._bring_to_close()
        if self.fill != "same_close" or self.ended:
            self._trade_and_close()

    def stop(self) -> None:
        """Finish the last session where its orders fill at its own close."""
        super().stop()
        if self._marked is not None:
            self._trade_and_close()

    def _bring_to_close(self) -> None:
        """Rules, actions, carry, what trades before the close, and the tests at the close."""
        t, account, tape, terms = self.session, self.account, self.market.tape, self.terms
        self._accept_submitted()
        scale_orders(self, tape.splits[t])
        split = np.flatnonzero(tape.splits[t] != 1.0)
        if t > 0 and split.size:
            ratios = {self.data_at(int(i)): float(tape.funds[t, i, SPLIT_RATIO]) for i in split}
            restate_history(self.cerebro, ratios)
        self.seen = max(t - 1, 0)
        open_session(account, tape, t, terms)
        while self._cash_addition:
            external_flow(account, tape, t, self._cash_addition.popleft())
        self._fundshares += account.flows[EXTERNAL] / self._fundval
        drain(self)
        if self.fill == "next_open":
            mark_open(account, tape, t, terms.volatility)
            work_pending(self, opening=True)
        if self.tests_extremes and intraday_test(account, tape, t, terms):
            self._after_liquidation()
        self.seen = t
        if not self.ended:
            mark(account, tape, t, terms.volatility)
            expire(account, tape, t, terms.commission.exercise_usd)
            buy_in(account, tape, t, terms)
        drain(self)
        self._marked = measure(account, tape, t, terms.volatility)
        if not self.ended and self._is_called(self._marked.excess_liquidity):
            self._after_liquidation()
        wipe_test(account)
        self._show(measure(account, tape, t, terms.volatility))

    def _is_called(self, excess_usd: float) -> bool:
        """The maintenance test at the close; true when something was liquidated."""
        account, tape = self.account, self.market.tape
        return bool(maintenance_test(account, tape, self.session, self.terms, excess_usd))

    def _after_liquidation(self) -> None:
        """Tell of what was sold by force, and clip what waits."""
        drain(self)
        clip_to_reductions(self)

    def _trade_and_close(self) -> None:
        """Fill the orders of this close, test the day's end, write the row."""
        t, account, tape, terms = self.session, self.account, self.market.tape, self.terms
        marked, self._marked = self._marked, None
        self._accept_submitted()
        if not self.ended:
            work_pending(self, opening=False)
            drain(self)
            if special_memorandum_test(account, tape, t, terms):
                self._after_liquidation()
            wipe_test(account)
        drain(self)
        measures = measure(account, tape, t, terms.volatility)
        close_session(account, tape, t, measures.equity_with_loan_value)
        self.ledger.write(account, marked or measures, measures)
        self._show(measures)
        if self.ended:
            self.cerebro.runstop()

    def _show(self, measures: Measures) -> None:
        """What strategies see: cash, equity, and the option marks in the feeds of the slots."""
        self.cash, self._value = measures.cash, measures.equity
        self._valuelever = measures.equity
        self._fundval = self._value / self._fundshares
        for k, premium in enumerate(self.account.book.option_marks):
            self.data_at(len(self.market.funds) + k).lines.close[0] = premium

    @property
    def ended(self) -> bool:
        """Whether the account is wiped or closed out: nothing follows."""
        return bool(self.account.money[ENDED] != ALIVE)

    @property
    def wiped(self) -> bool:
        """Whether equity is gone."""
        return bool(self.account.money[ENDED] == WIPED_OUT)

    @property
    def closed_out(self) -> bool:
        """Whether the broker closed the account at a margin call."""
        return bool(self.account.money[ENDED] == CLOSED_OUT)

    def data_at(self, place: int) -> Any:
        """The feed of a fund or option slot."""
        return self.cerebro.datasbyname[self.names[place]]

    def slot_of(self, data: Any) -> int:
        """The number of a feed's option slot; negative for a fund."""
        return self.places[data._name] - len(self.market.funds)

    # -- orders -----------------------------------------------------------------------------------

    def _accept_submitted(self) -> None:
        """Accept what was submitted; what it may take is tested when it fills."""
        while self._toactivate:
            self._toactivate.popleft().activate()
        while self.submitted:
            order = self.submitted.popleft()
            if accept(self, order) and self._take_children(order) is not None:
                self.submit_accept(order)

    # -- what Backtrader asks ---------------------------------------------------------------------

    def _get_value(self, datas: Sequence[Any] | None = None, lever: bool = False) -> float:  # noqa: ARG002, FBT001, FBT002
        """Signed value of some feeds' positions, or equity."""
        if datas is None:
            return float(self._value)
        account = self.account
        values = [*(account.book.shares * account.book.marks)]
        values += [*(account.book.contracts * account.book.multipliers * account.book.option_marks)]
        return float(sum(values[self.places[data._name]] for data in datas))

    def get_leverage(self) -> float:
        """Gross market value of the shares over equity."""
        account = self.account
        gross = float(abs(account.book.shares * account.book.marks).sum())
        return gross / self._value if self._value > 0 else float("inf")
