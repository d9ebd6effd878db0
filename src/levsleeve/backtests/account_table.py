"""The account of a study: its cash, what its broker asks, charges and does, how orders fill."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from levsleeve.backtests.borrow import BorrowEntry
from levsleeve.backtests.cash_flows import CashFlow
from levsleeve.backtests.state import (
    AFTER_SESSIONS,
    AT_ONCE,
    CLOSE_OUT,
    FRACTIONAL_SHARES,
    NEXT_CLOSE,
    NEXT_OPEN,
    SAME_CLOSE,
    WHOLE_SHARES,
    Terms,
)
from levsleeve.errors import StudyError
from levsleeve.margin.charges import commission_plan, financing_plan
from levsleeve.margin.policy import Policy
from levsleeve.margin.profile import DEFAULT_PROFILE, Profile
from levsleeve.pricing.volatility import volatility_model
from levsleeve.strict_table import StrictTable, in_words

Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
CALL_POLICIES = {"ibkr": AT_ONCE, "call": AFTER_SESSIONS, "stop": CLOSE_OUT}


FILLS = {"next_close": NEXT_CLOSE, "next_open": NEXT_OPEN, "same_close": SAME_CLOSE}
"""Where an order decided at a close fills; the last one looks ahead and exists to replicate papers
that do."""


class FundCosts(StrictTable):
    """What trading one fund costs where it differs: fractions of the price, each way."""

    half_spread_rate: Fraction | None = None
    slippage_rate: Fraction | None = None


class OptionCosts(StrictTable):
    """What trading options on one fund costs where it differs: fractions of the premium."""

    half_spread_rate: Fraction | None = None
    half_spread_minimum_usd: Dollars | None = None
    slippage_rate: Fraction | None = None


class AccountTable(StrictTable):
    """The account that every sleeve of the study starts with, and what its broker asks and charges.

    ``profile`` is a broker's, by name or by the path of a TOML file beside the study; what is given
    here goes before what the profile says.  ``call_sessions`` is how long the ``call`` policy waits
    for a cure; the other policies wait for none.
    """

    cash_usd: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 100_000.0
    profile: str = DEFAULT_PROFILE
    policy: Policy = Field(default_factory=Policy)
    financing: str | None = None
    commission: str | None = None
    fund_half_spread_rate: Fraction = 0.0002
    fund_slippage_rate: Fraction = 0.0
    fund_costs: dict[str, FundCosts] = Field(default_factory=dict)
    option_half_spread_rate: Fraction = 0.05
    option_half_spread_minimum_usd: Dollars = 0.05
    option_slippage_rate: Fraction = 0.0
    option_costs: dict[str, OptionCosts] = Field(default_factory=dict)
    liquidation_penalty_rate: Fraction = 0.0
    fill: Literal["next_close", "next_open", "same_close"] = "next_close"
    intraday_test: bool = False
    fractional_shares: bool = False
    call_policy: Literal["ibkr", "call", "stop"] = "ibkr"
    call_sessions: Annotated[int, Field(ge=1, le=15)] = 3
    cash_flow: Annotated[tuple[CashFlow, ...], Field(strict=False)] = ()
    borrow: Annotated[tuple[BorrowEntry, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _leaves_a_price(self) -> "AccountTable":
        """Half-spread and slippage together leave something of a price."""
        funds = {name: self.fund_spread(name) for name in ("", *self.fund_costs)}
        options = {name: self.option_spread(name)[0] for name in ("", *self.option_costs)}
        for key, spreads in (("fund", funds), ("option", options)):
            for name, spread in spreads.items():
                if spread >= 1.0:
                    whose = f"{key}_costs: {name}" if name else f"{key}_slippage_rate"
                    raise ValueError(
                        f"{whose}: half-spread and slippage are {spread:g} of the price together; "
                        "less than 1 is right"
                    )
        return self

    @model_validator(mode="after")
    def _waits(self) -> "AccountTable":
        """Only the policy ``call`` waits."""
        if "call_sessions" in self.model_fields_set and self.call_policy != "call":
            raise ValueError(
                f"call_sessions: {self.call_sessions}, but call_policy {self.call_policy} waits "
                'for no cure; call_policy = "call" does'
            )
        return self

    def refuse_unheld(self, held: Collection[str]) -> None:
        """Refuse entries for funds that nothing holds: a misspelt name would change nothing.

        Raises
        ------
        StudyError
            Naming the key and the fund.
        """
        named: dict[str, list[str]] = {
            "borrow": [entry.fund for entry in self.borrow],
            "fund_costs": [*self.fund_costs],
            "option_costs": [*self.option_costs],
        }
        for key, names in named.items():
            for name in names:
                if name not in held:
                    raise StudyError(
                        f"account.{key}: {name} is not held; one of {', '.join(held)} is right"
                    )

    def fund_spread(self, symbol: str) -> float:
        """Half-spread and slippage of a trade in a fund, as a fraction of its price."""
        own = self.fund_costs.get(symbol, FundCosts())
        half = _first(own.half_spread_rate, self.fund_half_spread_rate)
        return half + _first(own.slippage_rate, self.fund_slippage_rate)

    def option_spread(self, symbol: str) -> tuple[float, float]:
        """Half-spread and slippage of options on a fund: fraction of the premium, least dollars."""
        own = self.option_costs.get(symbol, OptionCosts())
        half = _first(own.half_spread_rate, self.option_half_spread_rate)
        least = _first(own.half_spread_minimum_usd, self.option_half_spread_minimum_usd)
        return half + _first(own.slippage_rate, self.option_slippage_rate), least

    def terms(self, profile: Profile, symbols: Sequence[str], model: str) -> Terms:
        """What the broker charges and does, funds in the order of ``symbols``."""
        options = [self.option_spread(symbol) for symbol in symbols]
        return Terms(
            fund_spread_rates=np.array([self.fund_spread(symbol) for symbol in symbols]),
            option_spread_rates=np.array([rate for rate, _ in options]),
            option_spread_minimums_usd=np.array([least for _, least in options]),
            liquidation_penalty_rate=self.liquidation_penalty_rate,
            share_parts=FRACTIONAL_SHARES if self.fractional_shares else WHOLE_SHARES,
            call_policy=CALL_POLICIES[self.call_policy],
            call_sessions=float(self.call_sessions),
            financing=financing_plan(self.financing or profile.financing, profile.financing_plan),
            commission=commission_plan(
                self.commission or profile.commission, profile.commission_plan
            ),
            volatility=volatility_model(model),
        )


def account_table(given: AccountTable | Mapping[str, Any] | None) -> AccountTable:
    """An account from the keys of a study's ``[account]``.

    Raises
    ------
    StudyError
        With the key and what would be right.
    """
    if isinstance(given, AccountTable):
        return given
    if not isinstance(given, Mapping | None):
        raise StudyError(f"account: {given!r}; a mapping of keys such as 'profile' is right")
    try:
        return AccountTable.model_validate(dict(given or {}))
    except ValidationError as error:
        raise StudyError(f"account: {in_words(error, AccountTable)}") from None


def _first(own: float | None, general: float) -> float:
    """The fund's own figure, or that for all."""
    return general if own is None else own
