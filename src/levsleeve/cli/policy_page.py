"""An account under a sleeve's policy, as ``levsleeve margin`` prints it."""

import math
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from levsleeve.monitoring.policy_status import PolicyStatus


def print_policy(console: Console, policy: "PolicyStatus") -> None:
    """What the policy looks at beside its limits, the verdict, and what to do."""
    console.print(_table(policy))
    style = "" if policy.exit_code == 0 else "bold"
    verdict = f"policy: {policy.verdict} (exit code {policy.exit_code})"
    for line in (verdict, *(f"  {action}" for action in policy.actions)):
        console.print(line, highlight=False, style=style)


def _table(policy: "PolicyStatus") -> Table:
    """What the policy looks at, beside its limits."""
    table = Table(title=f"policy of {policy.sleeve}", title_justify="left", pad_edge=False)
    table.add_column("quantity")
    table.add_column("now", justify="right")
    table.add_column("limit", justify="right")
    if policy.levels:
        warn, derisk, flatten, cut_to = policy.levels
        limits = f"warn {warn:.1%}, derisk {derisk:.1%} to {cut_to:.1%}, flatten {flatten:.1%}"
        table.add_row(f"margin utilization ({policy.rung})", _percent(policy.utilization), limits)
    table.add_row("leveraged funds, of equity", _percent(policy.gross_leveraged),
                  _percent(policy.cap))  # fmt: skip
    if math.isfinite(policy.single_fund_cap):
        heaviest = max((abs(weight) for weight in policy.weights.values()), default=0.0)
        table.add_row("heaviest fund", _percent(heaviest), _percent(policy.single_fund_cap))
    delta_cap = f"{policy.delta_cap:.2f}" if math.isfinite(policy.delta_cap) else "none"
    table.add_row("index exposure, turns of equity", f"{policy.delta:+.2f}", delta_cap)
    if not math.isnan(policy.reserve_kept):
        table.add_row("excess liquidity after the reserve's moves, of equity",
                      _percent(policy.reserve), f"at least {policy.reserve_kept:.1%}")  # fmt: skip
    if policy.expiry is not None:
        coming = f"next expiry in {policy.days_to_expiry} days ({policy.expiry})"
        after = _percent(policy.utilization_after)
        table.add_row(coming, after, "utilization after all expire")
    return table


def _percent(fraction: float) -> str:
    return f"{fraction:.1%}" if math.isfinite(fraction) else "no equity"
