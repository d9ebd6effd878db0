"""``margin_status``: everything that the rulebook says of an account snapshot."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from levsleeve.margin.schedule import PORTFOLIO_NOTE, MarginRules
from levsleeve.what_if.account import AccountAtHand, Figures, account_at_hand
from levsleeve.what_if.as_dict import status_dict
from levsleeve.what_if.cure import Cure, cure_with, is_called
from levsleeve.what_if.explain import PositionLine, position_lines
from levsleeve.what_if.reading import Reading, read_account
from levsleeve.what_if.snapshot import FundAtHand, Snapshot
from levsleeve.what_if.triggers import Trigger, index_trigger, price_trigger

HOUSE_RATES = (0.60, 0.80, 1.00)
"""Flat house rates on leveraged funds under which every account is shown again."""

MODELLED = (
    "repriced moves are modelled: options follow the fund by European Black-Scholes at the "
    "volatility that today's mark implies, no interest, no time passing; where no volatility does, "
    "intrinsic value and today's time value"
)
EXPIRY_NOTE = "after expiry: options settle in cash at their intrinsic value at today's prices"


@dataclass(frozen=True, slots=True)
class Outlook:
    """An account under one assumption: its figures, what calls it and what cures a call."""

    figures: Figures
    called: bool
    down: Trigger
    up: Trigger
    cure: dict[str, Cure]


@dataclass(frozen=True, slots=True)
class MarginStatus:
    """What an account must keep and what would call it; ``to_dict`` is the JSON of the command."""

    account: AccountAtHand
    snapshot: Snapshot
    now: Outlook
    repriced: tuple[Trigger, Trigger]
    under_house: dict[float, Outlook]
    after_expiry: Outlook | None
    prices: dict[str, Trigger]
    positions: tuple[PositionLine, ...]
    notes: tuple[str, ...]

    @property
    def figures(self) -> Figures:
        """The headline quantities as the account stands."""
        return self.now.figures

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers with stable keys; None for what is infinite or absent."""
        return status_dict(self)


def margin_status(account: Mapping[str, Any] | str | Path) -> MarginStatus:
    """What the rulebook says of an account snapshot.

    Parameters
    ----------
    account
        The path of a JSON file, or the same as a mapping.  A profile that is a path starts from
        the folder of the file; in a mapping, from the current one.

    Raises
    ------
    AccountError
        With one message that names the position, fund or switch, and what would be right.

    Examples
    --------
    >>> status = margin_status(
    ...     {
    ...         "date": "2019-06-03",
    ...         "cash_usd": -20_000.0,
    ...         "funds": {"UPRO": {"price_usd": 80.0}},
    ...         "holdings": [{"fund": "UPRO", "side": "long", "shares": 1000}],
    ...     }
    ... )
    >>> status.figures.maintenance_margin_usd, status.figures.excess_liquidity_usd
    (60000.0, 0.0)
    """
    return status_of(read_account(account))


def status_of(reading: Reading) -> MarginStatus:
    """The status of a snapshot that was read elsewhere."""
    at_hand = account_at_hand(reading)
    repriced = (
        index_trigger(at_hand, "down", reprices=True),
        index_trigger(at_hand, "up", reprices=True),
    )
    overlaid = math.isnan(_rule(at_hand).flat_rate)
    return MarginStatus(
        account=at_hand,
        snapshot=reading.snapshot,
        now=_outlook(at_hand),
        repriced=repriced,
        under_house={
            rate: _outlook(at_hand.under_house_rate(rate)) for rate in HOUSE_RATES if overlaid
        },
        after_expiry=_outlook(at_hand.after_expiry()) if at_hand.options else None,
        prices={fund.symbol: price_trigger(at_hand, i) for i, fund in _held(at_hand)},
        positions=tuple(position_lines(at_hand)),
        notes=tuple(_notes(at_hand)),
    )


def _rule(account: AccountAtHand) -> MarginRules:
    """The rules of the account's day by name."""
    return MarginRules(*account.terms.rules)


def _held(account: AccountAtHand) -> list[tuple[int, FundAtHand]]:
    """The funds that bear on the account, by number."""
    underlyings = set(account.positions.underlyings.astype(int).tolist())
    return [
        (i, fund)
        for i, fund in enumerate(account.funds)
        if account.positions.shares[i] != 0.0 or account.boxed[i] > 0.0 or i in underlyings
    ]


def _outlook(account: AccountAtHand) -> Outlook:
    """Figures, triggers and cures of one account."""
    return Outlook(
        figures=account.figures(),
        called=is_called(account),
        down=index_trigger(account, "down"),
        up=index_trigger(account, "up"),
        cure={
            fund.symbol: cure_with(account, i)
            for i, fund in enumerate(account.funds)
            if account.positions.shares[i] != 0.0
        },
    )


def _notes(account: AccountAtHand) -> list[str]:
    """What a reader must know beside the numbers."""
    notes = [f"{fund.symbol}: {fund.note}" for fund in account.funds if fund.note]
    notes += [MODELLED, EXPIRY_NOTE] if account.options else []
    notes += [PORTFOLIO_NOTE] if _rule(account).portfolio_mode else []
    return notes
