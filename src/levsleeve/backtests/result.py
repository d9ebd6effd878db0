"""What a run leaves: ledger, events, and the figures drawn from them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from levsleeve.backtests.events import whole_cents
from levsleeve.backtests.metrics import CoreMetrics, measure
from levsleeve.backtests.money_weighted import money_weighted_return
from levsleeve.backtests.policy_report import policy_report
from levsleeve.backtests.returns import periodic_returns
from levsleeve.strategies.sleeve import Sleeve

CARRY = ("debit_interest", "credit_interest", "short_rebate", "borrow_fee")
"""Causes that a session posts first, on what the one before left."""

LOW_CUSHION = 0.10
"""Brokers warn when excess liquidity falls below a tenth of net liquidation."""


@dataclass(frozen=True)
class SleeveResult:
    """One sleeve's run.

    ``ledger`` and ``events`` have the columns of the files that a run writes.  ``costs_usd`` is
    what trading cost per fund and option slot: half-spread, commission, fees and penalty.
    ``benchmark_returns`` and ``bill_returns`` span the study; a wiped run is shorter.  ``slots``
    are its option slots; a run without any prices no option.  ``driver`` is the one that ran it, or
    ``both``, which then agreed in every bit.  ``sleeve`` is what the strategy describes, or None.
    """

    name: str
    study: str
    driver: str
    starting_cash_usd: float
    ledger: pd.DataFrame
    events: pd.DataFrame
    benchmark_returns: "pd.Series[float]"
    bill_returns: "pd.Series[float]"
    costs_usd: Mapping[str, float]
    slots: tuple[str, ...]
    hedge: str
    hedge_places: tuple[str, ...]
    assumptions: Mapping[str, str]
    data_hashes: Mapping[str, str]
    rules_as_of: str
    hedge_relief: str
    margin_mode: str
    volatility_model: str
    wiped: bool
    closed_out: bool
    sleeve: Sleeve | None = None

    @cached_property
    def policy(self) -> dict[str, Any] | None:
        """How the run stood against its sleeve's policy; None of a strategy that is no sleeve."""
        if self.sleeve is None:
            return None
        return policy_report(self.sleeve, self.ledger, self.events, self.costs_usd)

    @cached_property
    def returns(self) -> "pd.Series[float]":
        """Session returns on equity, deposits and withdrawals taken out; first 0.0."""
        carry = self.ledger[[f"flow:{cause}" for cause in CARRY]].sum(axis=1)
        return periodic_returns(self.ledger["equity"], self.external, carry)

    @property
    def external(self) -> "pd.Series[float]":
        """Signed dollars paid in or taken out, by session."""
        return self.ledger["flow:external"]

    @cached_property
    def money_weighted_return(self) -> float:
        """The annual rate at which the cash that came earned what there is; NaN if there is none.

        The time-weighted returns above know no deposits and withdrawals; this one is theirs.
        """
        ending = float(self.ledger["equity"].iloc[-1])
        sessions = pd.DatetimeIndex(self.ledger.index)
        return money_weighted_return(self.starting_cash_usd, self.external, ending, sessions)

    @cached_property
    def calls(self) -> list[dict[str, object]]:
        """Every margin call: its session, why, and the deposit that would have cured it."""
        called = self.events[self.events["kind"] == "margin_call"]
        return [
            {
                "session": f"{call.session:%Y-%m-%d}",
                "why": call.why,
                "deposit_usd": whole_cents(dollars),
            }
            for call, dollars in zip(called.itertuples(), called["price"], strict=True)
        ]

    @cached_property
    def metrics(self) -> CoreMetrics:
        """Return and risk in calendar time."""
        return measure(self.returns, self.bill_returns.reindex(self.returns.index))

    @cached_property
    def margin(self) -> dict[str, float | int]:
        """Utilization and cushion over the run, and how often the broker stepped in.

        Peak and lowest also look at each close as it was marked, before a liquidation.  Beside the
        peak stand those of the same holdings were FINRA's relief for hedged shares in force, and
        were every option to expire that day.
        """
        kinds = self.events["kind"].value_counts()
        held = self.ledger["maintenance_margin"] > 0
        utilization = self.ledger["utilization"]
        peak = self.ledger[["utilization", "marked_utilization"]].max(axis=1)
        cushion = self.ledger[["cushion", "marked_cushion"]].min(axis=1)
        called = self.events[self.events["kind"] == "margin_call"]
        by_excess = called["why"].str.startswith("excess liquidity")
        calls = called.loc[by_excess.astype(bool), "before"]
        return {
            "peak_utilization": float(peak.max()),
            "peak_utilization_with_relief": self._peak_beside("with_relief"),
            "peak_utilization_after_expiry": self._peak_beside("after_expiry"),
            "mean_utilization": float(utilization[held].mean()) if held.any() else 0.0,
            "lowest_cushion": float(cushion.min()),
            "lowest_excess_liquidity_usd": float(
                min([self.ledger["excess_liquidity"].min(), *calls])
            ),
            "sessions_below_10_percent_cushion": int((cushion < LOW_CUSHION).sum()),
            "margin_calls": int(kinds.get("margin_call", 0)),
            "liquidations": int(kinds.get("liquidation", 0)),
            "orders_cut": int(kinds.get("order_cut", 0)),
            "orders_refused": int(kinds.get("order_refused", 0)),
        }

    def _peak_beside(self, variant: str) -> float:
        """Peak utilization under the other reading of hedged shares, infinite without equity."""
        requirement, loanable = (
            self.ledger[f"maintenance_{variant}"],
            self.ledger["equity_with_loan_value"],
        )
        if ((loanable <= 0.0) & (requirement > 0.0)).any():
            return math.inf
        left = (requirement / loanable).max()
        return float(max(left, self.ledger[f"marked_utilization_{variant}"].max()))

    @cached_property
    def funding(self) -> dict[str, float]:
        """Dollars over the run by cause; a cost is negative.

        ``net_usd`` is interest, rebate and borrow fee; ``trading_usd`` is commission, fees, spread
        and liquidation.
        """
        flows = self.ledger.filter(regex="^flow:(?!price:)").sum()
        causes = {f"{str(name)[5:]}_usd": float(total) for name, total in flows.items()}
        trading = ("commission", "fees", "spread", "liquidation")
        return {
            **causes,
            "net_usd": sum(causes[f"{cause}_usd"] for cause in CARRY),
            "trading_usd": sum(causes[f"{cause}_usd"] for cause in trading),
        }

    @cached_property
    def hedging(self) -> dict[str, float | str]:
        """What the hedge cost and what it paid back, in signed dollars: a cost is negative.

        Puts: ``cost_usd`` is premium with half-spread and commission, ``payoff_usd`` what expiry,
        sales and the last mark returned.  An inverse layer: ``cost_usd`` is what its trades cost,
        ``payoff_usd`` its signed price profit.
        """
        cost = -sum(self.costs_usd[place] for place in self.hedge_places)
        payoff = 0.0
        if self.hedge == "protective_put":
            bought = self.events[self.events["kind"] == "option_rolled"]
            premium = float((bought["shares"] * bought["price"]).sum())
            cost -= premium
            payoff = premium + float(self.ledger["flow:option"].sum())
        elif self.hedge == "inverse_layer":
            columns = [f"flow:price:{place}" for place in self.hedge_places]
            payoff = float(self.ledger[columns].to_numpy().sum())
        return {
            "kind": self.hedge,
            "cost_usd": cost,
            "payoff_usd": payoff,
            "net_usd": cost + payoff,
        }

    def as_dict(self) -> dict[str, Any]:
        """Every figure of the run, in a stable order; what ``result.json`` holds."""
        return {
            "schema": 1,
            "sleeve": self.name,
            "study": self.study,
            "rules_as_of": self.rules_as_of,
            "hedge_relief": self.hedge_relief,
            "margin_mode": self.margin_mode,
            "volatility_model": self.volatility_model if self.slots else None,
            "wiped": self.wiped,
            "closed_out": self.closed_out,
            "starting_cash_usd": self.starting_cash_usd,
            "ending_equity_usd": float(self.ledger["equity"].iloc[-1]),
            "owed_usd": max(0.0, -float(self.ledger["equity"].iloc[-1])),
            "deposits_usd": float(self.external[self.external > 0.0].sum()),
            "withdrawals_usd": float(self.external[self.external < 0.0].sum()),
            "money_weighted_return": self.money_weighted_return,
            "assumptions": dict(self.assumptions),
            "metrics": self.metrics.as_dict(),
            "margin": self.margin,
            "margin_calls": self.calls,
            "policy": self.policy,
            "hedge": self.hedging,
            "funding": self.funding,
            "trading_by_position_usd": {name: 0.0 - cost for name, cost in self.costs_usd.items()},
            "data_sha256": dict(self.data_hashes),
        }


def finite_or_none(value: object) -> object:
    """JSON has no infinity and no NaN: both become null, at any depth."""
    if isinstance(value, dict):
        return {key: finite_or_none(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(entry) for entry in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
