"""The Market of a user's own script, read from the daily feeds of its cerebro.

A feed named by a ticker of the catalogue, or in ``funds``, can be traded; any other can only be
looked at.  Prices are as traded: a feed may have lines ``split`` (new shares per old, on the day
they first trade) and ``dividend`` (dollars per share on the ex-date); ``feeds.FundData`` reads them
from a frame.  A fund without a bar on a session is held at its last close and not traded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from levsleeve.backtests.account_market import market_of_account
from levsleeve.backtests.account_table import AccountTable
from levsleeve.backtests.market import VIX_POINT, Market, Surroundings, market_of_frames
from levsleeve.backtests.own_settings import OwnSettings
from levsleeve.backtests.tape import retaped
from levsleeve.data.prices import COLUMNS, PRICES, as_sessions, check_prices
from levsleeve.errors import StudyError
from levsleeve.instruments.catalogue import CATALOGUE, INDEXES
from levsleeve.instruments.fund import Fund, parse_fund
from levsleeve.margin.profile import load_profile
from levsleeve.margin.rulebook import Rulebook, rulebook

Bounds = tuple[float, float]
RATES, VOLATILITIES = (-1.0, 1.0), (0.0, 5.0)
"""What a rate a year and a volatility lie between: beyond, a figure is taken for percent."""


def market_of_feeds(cerebro: Any, account: AccountTable, own: OwnSettings) -> Market:
    """The market that a script's feeds make, as its account meets it.

    Sessions are the days on which any feed has a bar.

    Raises
    ------
    StudyError
        If no feed can be traded, bars are not daily or not loaded ahead, a slot has no feed, or
        a rate or volatility that is needed is missing.
    DataError
        If the prices of a fund cannot be right.
    """
    feeds = [feed for feed in cerebro.datas if feed._name not in own.slots]
    own.refuse_missing({feed._name for feed in feeds})
    _refuse_unreadable(cerebro, feeds, own.slots)
    funds = {feed._name: fund_of(feed._name, own.funds) for feed in feeds}
    traded = [feed for feed in feeds if funds[feed._name] is not None]
    if not traded:
        names = ", ".join(feed._name or "a feed without a name" for feed in feeds)
        raise StudyError(
            f"feeds: none is a fund that is known ({names}); cerebro.adddata(feed, name=TICKER), "
            "or funds={NAME: MULTIPLE}, is right"
        )
    account.refuse_unheld([feed._name for feed in traded])
    sessions = _sessions_of(feeds)
    frames = [_frame_of(feed).reindex(sessions).fillna(_NOTHING) for feed in traded]
    held = [fund for feed in traded if (fund := funds[feed._name]) is not None]
    rules = rulebook(load_profile(account.profile), account.policy, own.rules_as_of)
    market = market_of_frames(frames, held, sessions, rules, _around(sessions, rules, own))
    multiples = np.array([[_multiple_on(fund, day) for fund in held] for day in sessions])
    market = replace(market, tape=retaped(market.tape, multiples=multiples))
    return market_of_account(market, account, Path())


_NOTHING = {"split": 1.0, "dividend": 0.0}
"""On a session without a bar nothing splits and nothing is paid."""


def fund_of(name: str, given: Mapping[str, object]) -> Fund | None:
    """The fund behind a feed's name; None for a feed that can only be looked at.

    Examples
    --------
    >>> fund_of("TQQQ", {}).multiple, fund_of("ACME", {"ACME": 1.0}).leverage, fund_of("VIX", {})
    (3.0, 1.0, None)
    """
    if name in given:
        multiple = given[name]
        number = multiple if isinstance(multiple, int | float) else np.nan
        if isinstance(multiple, bool) or not np.isfinite(number) or number == 0.0:
            raise StudyError(
                f"funds: {name} has the multiple {multiple!r}; a number other than 0 is right, "
                "1.0 for a plain share"
            )
        return Fund(name, name, float(number), benchmark_class="narrow", name=name)
    if name in CATALOGUE:
        facts = CATALOGUE[name]
        return Fund(
            name,
            facts.index,
            facts.multiple,
            expense_ratio=facts.expense_ratio,
            financing_spread=facts.financing_spread or 0.0,
            benchmark_class=facts.benchmark_class,
            name=facts.name,
        )
    if name in INDEXES or "?" not in name:
        return None
    return parse_fund(name)


def _multiple_on(fund: Fund, session: pd.Timestamp) -> float:
    """The daily multiple of a session: those of the catalogue are dated."""
    facts = CATALOGUE.get(fund.symbol)
    return fund.multiple if facts is None else facts.multiple_on(session.date())


def _refuse_unreadable(cerebro: Any, feeds: Sequence[Any], slots: Sequence[str]) -> None:
    """Feeds must be daily and loaded ahead, and every slot needs one."""
    if not cerebro._dopreload:
        raise StudyError(
            "cerebro: the feeds are not loaded ahead, and the margin broker reads them before the "
            "first session; cerebro.run() with preload, without live, replayed or resampled feeds, "
            "is right"
        )
    for feed in feeds:
        if feed._timeframe < bt.TimeFrame.Days:
            raise StudyError(
                f"{feed._name or 'a feed without a name'}: bars of "
                f"{bt.TimeFrame.getname(feed._timeframe, feed._compression)}; daily bars are right"
            )
    missing = [slot for slot in slots if slot not in cerebro.datasbyname]
    if missing:
        raise StudyError(
            f"slots: no feed is named {missing[0]}; cerebro.adddata(slot_feed(SESSIONS), "
            f"name={missing[0]!r}) is right"
        )


def _days_of(feed: Any) -> pd.DatetimeIndex:
    """The dates of a feed's bars."""
    stamps = [bt.num2date(number) for number in feed.lines.datetime.array]
    return as_sessions(pd.DatetimeIndex(stamps).normalize())


def _sessions_of(feeds: Sequence[Any]) -> pd.DatetimeIndex:
    """The days of all feeds; each must have one time of day, since Backtrader steps by it."""
    numbers = np.unique(np.concatenate([np.array(feed.lines.datetime.array) for feed in feeds]))
    days = pd.DatetimeIndex([bt.num2date(number) for number in numbers]).normalize()
    if days.has_duplicates:
        day = days[days.duplicated()][0]
        raise StudyError(
            f"feeds: bars of {day:%Y-%m-%d} have different times of day; one for all is right"
        )
    return as_sessions(days)


def _frame_of(feed: Any) -> pd.DataFrame:
    """A fund's bars as a checked price table."""
    names = feed.lines.getlinealiases()
    nothing = {"volume": 0.0, **_NOTHING}
    columns = {
        name: np.array(getattr(feed.lines, name).array) if name in names else nothing[name]
        for name in COLUMNS
    }
    frame = pd.DataFrame(columns, index=_days_of(feed), dtype=np.float64)
    frame = frame.fillna(nothing)
    check_prices(feed._name, frame[[*PRICES, *nothing]])
    return frame


def _around(sessions: pd.DatetimeIndex, rules: Rulebook, own: OwnSettings) -> Surroundings:
    """Rates and volatility by session; a house that watches the index cannot be served."""
    rate = _by_session("benchmark_rate", own.benchmark_rate, sessions, RATES)
    if "flow" in rules.needs_state or (
        "volatility" in rules.needs_state and own.volatility is None
    ):
        seen = " and ".join(rules.needs_state)
        raise StudyError(
            f"profile: its house rates watch the index ({seen}), which the feeds of a script do "
            "not tell; a study, or a profile without such rates, is right"
        )
    if own.slots and own.volatility is None:
        raise StudyError(
            "volatility: None, but options are priced by it; a series of fractions by date is right"
        )
    points = pd.Series(np.nan, index=sessions)
    if own.volatility is not None:
        points = VIX_POINT * _by_session("volatility", own.volatility, sessions, VOLATILITIES)
    zeros = pd.Series(0.0, index=sessions)
    frame = pd.DataFrame({"value": points, "seen": points, "rung": "given"}, index=sessions)
    return Surroundings(rate, rate, frame, zeros, zeros, {})


def _by_session(
    name: str, given: "float | pd.Series[float]", sessions: pd.DatetimeIndex, bounds: Bounds
) -> "pd.Series[float]":
    """A number, or a series by date in force until its next entry, on every session."""
    values = pd.Series(given, index=sessions) if not isinstance(given, pd.Series) else given
    dated = values.set_axis(as_sessions(pd.DatetimeIndex(values.index).normalize()))
    known = dated.sort_index().reindex(sessions, method="ffill").astype(np.float64)
    low, high = bounds
    wrong = known[~known.between(low, high, inclusive="neither")]
    if len(wrong):
        raise StudyError(
            f"{name}: {wrong.iloc[0]} on {wrong.index[0]:%Y-%m-%d}; a fraction above {low:g} and "
            f"below {high:g} on every session is right"
        )
    return known
