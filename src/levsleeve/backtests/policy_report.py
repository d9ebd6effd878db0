"""How a run stood against the policy of its sleeve: drift, actions, and whose profit was whose."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from levsleeve.instruments.fund import parse_fund
from levsleeve.strategies.limits import TOLERANCE
from levsleeve.strategies.sleeve import Sleeve


def policy_report(
    sleeve: Sleeve, ledger: pd.DataFrame, events: pd.DataFrame, costs_usd: Mapping[str, float]
) -> dict[str, Any]:
    """The weights of leveraged funds against the cap, what acted and how often, profits apart.

    Weights are fractions of equity at the close, after what filled there: between decisions they
    drift.  Profits are dollars of price changes and options less what the trades cost; interest,
    borrow and distributions are the account's and stand in ``funding``.
    """
    weights = _leveraged_weights(sleeve, ledger)
    kinds = events["kind"].value_counts()
    steps = events.loc[events["kind"] == "stop_flight", "why"]
    core = set(sleeve.core_funds)
    own = [fund for fund in sleeve.funds if fund not in core]
    return {
        "cap": sleeve.cap,
        "enforce": sleeve.caps.enforce,
        "peak_leveraged_weight": float(weights.max()),
        "mean_leveraged_weight": float(weights.mean()),
        "sessions_above_cap": int((weights > sleeve.cap + TOLERANCE).sum()),
        "cap_trims": int(kinds.get("cap_trimmed", 0)),
        "warnings": int(steps.str.contains("warning").sum()),
        "cuts": int(steps.str.contains("is cut").sum()),
        "sales": int(steps.str.contains("is sold").sum()),
        "returns": int(steps.str.contains("grow again").sum()),
        "exits": int(kinds.get("exit", 0)),
        "re_entries": int(kinds.get("re_entry", 0)),
        "sleeve_profit_usd": _profit(own, ledger, costs_usd)
        + float(ledger["flow:option"].sum())
        - sum(costs_usd[slot] for slot in sleeve.slots),
        "core_profit_usd": _profit(sorted(core), ledger, costs_usd),
    }


def _leveraged_weights(sleeve: Sleeve, ledger: pd.DataFrame) -> "pd.Series[float]":
    """Gross weight of the leveraged funds at each close; 0 once equity is gone."""
    names = [fund for fund in sleeve.funds if parse_fund(fund).is_leveraged]
    values = ledger[[f"value:{name}" for name in names]].abs().sum(axis=1)
    equity = ledger["equity"]
    weights: pd.Series[float] = (values / equity).where(equity > 0.0, 0.0)
    return weights


def _profit(funds: list[str], ledger: pd.DataFrame, costs_usd: Mapping[str, float]) -> float:
    """What some funds earned by their prices, less what trading them cost."""
    earned = ledger[[f"flow:price:{fund}" for fund in funds]].to_numpy().sum()
    return float(earned) - sum(costs_usd[fund] for fund in funds)
