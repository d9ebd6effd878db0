"""Account snapshots: a date, cash, funds and holdings, each checked by name."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from levsleeve.errors import AccountError, DataError
from levsleeve.instruments.catalogue import CATALOGUE, BenchmarkClass
from levsleeve.instruments.fund import parse_fund
from levsleeve.margin.policy import Policy
from levsleeve.margin.profile import DEFAULT_PROFILE
from levsleeve.strict_table import StrictTable, in_words

MOST = 1e12
"""No price, number of shares or amount of cash is larger."""
LEAST_PRICE_USD = 0.0001
"""The smallest step of a quote."""
MOST_MULTIPLE = 100.0
"""No fund has a daily multiple near it."""

Dollars = Annotated[float, Field(ge=0.0, le=MOST, allow_inf_nan=False)]
Price = Annotated[float, Field(ge=LEAST_PRICE_USD, le=MOST, allow_inf_nan=False)]
Count = Annotated[float, Field(gt=0.0, le=MOST, allow_inf_nan=False)]
Signed = Annotated[float, Field(ge=-MOST, le=MOST, allow_inf_nan=False)]
Side = Literal["long", "short"]


def in_digits(number: float) -> str:
    """A count or price as it was written, without an exponent."""
    return np.format_float_positional(number, precision=9, trim="-")


class FundEntry(StrictTable):
    """A fund as the snapshot gives it: what the catalogue knows may be left out."""

    price_usd: Price
    multiple: Annotated[float, Field(allow_inf_nan=False)] | None = None
    benchmark: BenchmarkClass | None = None


class ShareHolding(StrictTable):
    """Shares held or sold short."""

    fund: str
    side: Side
    shares: Count

    def __str__(self) -> str:
        """The way a trader writes it."""
        return f"{self.side} {in_digits(self.shares)} {self.fund}"


class OptionHolding(StrictTable):
    """Listed options bought or written; ``price_usd`` is the present mark per share."""

    option: Literal["call", "put"]
    fund: str
    side: Side
    contracts: Count
    shares_per_contract: Count = 100.0
    strike_usd: Price
    price_usd: Dollars
    expiry_date: date

    def __str__(self) -> str:
        """The way a trader writes it."""
        contract = f"{self.fund} {self.expiry_date} {in_digits(self.strike_usd)} {self.option}"
        return f"{self.side} {in_digits(self.contracts)} {contract}"


class Order(StrictTable):
    """An order to test: signed by ``action``, or the ``side`` of the largest opening order.

    The fund may be left out where the snapshot has only one.
    """

    fund: str | None = None
    action: Literal["buy", "sell"] | None = None
    side: Side | None = None
    shares: Count | None = None
    fee_usd: Dollars = 0.0

    @model_validator(mode="after")
    def _complete(self) -> "Order":
        """Either an action with shares, or a side."""
        if (self.action is None) == (self.side is None):
            raise ValueError(
                "action: exactly one of action (buy, sell: is it accepted?) and side "
                "(long, short: how many?) is right"
            )
        if self.action is not None and self.shares is None:
            raise ValueError("shares: missing; an order to buy or sell says how many")
        return self


class SnapshotPolicy(Policy):
    """The switches of an account, among them the date of the rules."""

    rules_as_of: date | Literal["session"] = "session"


class Snapshot(StrictTable):
    """An account snapshot; ``funds`` and ``holdings`` are checked one by one.

    ``rules_as_of`` may stand here, as in a study, or among the switches.

    ``volatility_index`` (a fraction) and ``previous_index_return`` are what a house rate that
    depends on the state of the market looks at.
    """

    date_: date = Field(alias="date")
    profile: str = DEFAULT_PROFILE
    rules_as_of: date | None = None
    cash_usd: Signed
    special_memorandum_account_usd: Signed | None = None
    funds: dict[str, dict[str, Any]] = Field(default_factory=dict)
    holdings: list[Any] = Field(default_factory=list)
    policy: SnapshotPolicy = Field(default_factory=SnapshotPolicy)
    order: Order | None = None
    cut_fund: str | None = None
    move_fund: str | None = None
    index_direction: Literal["down", "up"] | None = None
    volatility_index: Count | None = None
    previous_index_return: Signed | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "Snapshot":
        """One date of the rules, and one fund to order."""
        inside = self.policy.rules_as_of
        if self.rules_as_of and inside != "session" and inside != self.rules_as_of:
            raise ValueError(
                f"rules_as_of: {self.rules_as_of}, but policy.rules_as_of is {inside}; "
                "one date is right"
            )
        if self.order and self.order.fund is None and len(self.funds) != 1:
            raise ValueError(
                f"order.fund: missing; one of {', '.join(self.funds) or 'the funds'} is right"
            )
        return self

    @property
    def order_fund(self) -> str | None:
        """The fund of the order; None without one."""
        if self.order is None:
            return None
        return self.order.fund or next(iter(self.funds))

    @property
    def rules_on(self) -> date:
        """The day whose rules apply."""
        inside = self.policy.rules_as_of
        return self.rules_as_of or (self.date_ if inside == "session" else inside)

    @property
    def switches(self) -> dict[str, Any]:
        """The switches that are set, the date of the rules apart."""
        given = self.policy.given
        return {name: given[name] for name in given if name != "rules_as_of"}


class FundAtHand(StrictTable):
    """A fund with its price, signed multiple and benchmark class, and where these come from."""

    symbol: str
    price_usd: float
    multiple: float
    benchmark_class: BenchmarkClass
    note: str = ""


def holdings_of(snapshot: Snapshot, subject: str) -> list[ShareHolding | OptionHolding]:
    """The holdings, each checked and named in any refusal.

    Raises
    ------
    AccountError
        If one is wrong, or an option has expired.
    """
    return [
        _holding(number, written, snapshot.date_, subject)
        for number, written in enumerate(snapshot.holdings, start=1)
    ]


def _holding(number: int, written: object, on: date, subject: str) -> ShareHolding | OptionHolding:
    """One holding: with the key ``option`` an option, without it shares."""
    if not isinstance(written, Mapping):
        raise AccountError(
            f"{subject}: holding {number}: {written!r:.60}; "
            "a table with fund, side and shares, or one of an option, is right"
        )
    kind = OptionHolding if "option" in written else ShareHolding
    told = [written.get(key) for key in ("side", "fund", "option")]
    words = [word for word in told if isinstance(word, str)]
    named = f"{subject}: holding {number} ({' '.join(words) or 'nameless'})"
    try:
        holding = kind.model_validate_json(json.dumps(dict(written)))
    except ValidationError as error:
        raise AccountError(f"{named}: {in_words(error, kind)}") from None
    if isinstance(holding, OptionHolding) and holding.expiry_date < on:
        raise AccountError(
            f"{named}: expiry_date: {holding.expiry_date} is before the account's date {on}; "
            "an option that is still alive is right"
        )
    return holding


def fund_at_hand(symbol: str, snapshot: Snapshot, subject: str, needed_by: str) -> FundAtHand:
    """A fund of the snapshot with what the catalogue adds.

    ``needed_by`` names the position in a refusal.

    Raises
    ------
    AccountError
        If it has no price, or neither the snapshot nor the catalogue knows its multiple.
    """
    if symbol not in snapshot.funds:
        raise AccountError(
            f"{subject}: {needed_by}: {symbol} is not among the funds; "
            f'"funds": {{"{symbol}": {{"price_usd": ...}}}} is right'
        )
    try:
        entry = FundEntry.model_validate_json(json.dumps(snapshot.funds[symbol]))
    except ValidationError as error:
        raise AccountError(f"{subject}: funds.{symbol}: {in_words(error, FundEntry)}") from None
    known = _known(symbol, snapshot.date_)
    multiple = known[0] if entry.multiple is None and known else entry.multiple
    if multiple is None:
        raise AccountError(
            f"{subject}: funds.{symbol}: multiple: missing, and the catalogue does not know the "
            "fund; its signed daily multiple is right (1 for a plain stock)"
        )
    if not 0.0 < abs(multiple) <= MOST_MULTIPLE:
        raise AccountError(
            f"{subject}: funds.{symbol}: multiple: {multiple:g}; a signed daily multiple, not 0 "
            f"and at most {MOST_MULTIPLE:g} in size, is right"
        )
    benchmark, note = entry.benchmark, ""
    if benchmark is None:
        benchmark = known[1] if known else "narrow"
        note = "" if known else "benchmark not given: taken as narrow, the dearer"
    if known and entry.multiple is not None and entry.multiple != known[0]:
        note = f"multiple {entry.multiple:g} as given; the catalogue has {known[0]:g}"
    return FundAtHand(
        symbol=symbol,
        price_usd=entry.price_usd,
        multiple=multiple,
        benchmark_class=benchmark,
        note=note,
    )


def _known(symbol: str, on: date) -> tuple[float, BenchmarkClass] | None:
    """Multiple on a date and benchmark class, where the catalogue or the name itself tells them."""
    if symbol in CATALOGUE:
        return CATALOGUE[symbol].multiple_on(on), CATALOGUE[symbol].benchmark_class
    try:
        fund = parse_fund(symbol)
    except DataError:
        return None
    return fund.multiple, fund.benchmark_class
