"""What a sleeve's own rules assume, in sentences for reports."""

from typing import Any

import numpy as np
from pydantic import BaseModel

from levsleeve.backtests.market import Market
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.sleeve import Sleeve


def sleeve_lines(sleeve: Sleeve, market: Market) -> dict[str, str]:
    """Subject and sentence of every rule that the sleeve has; nothing for one without rules."""
    lines = {}
    rule = sleeve.rule
    if isinstance(rule, OwnRule):
        seen = "the history and the account" if rule.reads_account else "the history"
        lines["sizing"] = f"a rule of one's own, {rule.name}, which sees {seen}"
    elif rule is not None:
        begins = _begins(rule.longest, market)
        lines["sizing"] = f"{words_of(rule)}; from closes up to the decision's, BUS/252{begins}"
    if sleeve.allocation is not None:
        begins = _begins(sleeve.allocation.longest, market)
        lines["allocation"] = f"{words_of(sleeve.allocation)}{begins}"
    if sleeve.core:
        held = ", ".join(f"{holding.weight:g} {holding.fund}" for holding in sleeve.core)
        lines["core"] = f"{held}, set anew with the sleeve"
    lines |= _policy_lines(sleeve)
    return lines


def _policy_lines(sleeve: Sleeve) -> dict[str, str]:
    """The caps beyond the first, the reserve, stop-flight and exits."""
    lines = {}
    if words_of(sleeve.caps) != "Caps()":
        lines["caps"] = words_of(sleeve.caps)
    if sleeve.reserve is not None:
        lines["reserve"] = f"{words_of(sleeve.reserve)}; moves of the index, funds by multiple"
    if sleeve.stop_flight is not None:
        lines["stop-flight"] = (
            f"{words_of(sleeve.stop_flight)}; levels left out are the gap-safe ones of each "
            "session's rates"
        )
    if sleeve.exits is not None:
        lines["exits"] = words_of(sleeve.exits)
    return lines


def _begins(longest: int, market: Market) -> str:
    """Since when a rule has an answer, where that is after the first session."""
    rows = np.arange(len(market.sessions)) + market.history.first
    late = rows < longest
    if not late.any():
        return ""
    if late.all():
        return "; it never has an answer in this span"
    return f"; nothing is held before {market.sessions[int(late.sum())]:%Y-%m-%d}, its first answer"


def words_of(table: BaseModel) -> str:
    """A table as it would be written: its kind, and what differs from the defaults."""
    tag = getattr(table, "rule", None) or getattr(table, "kind", None) or type(table).__name__
    given = [
        f"{name} {_word(getattr(table, name))}"
        for name in type(table).model_fields
        if name not in ("rule", "kind") and _differs(table, name)
    ]
    return f"{tag}({', '.join(given)})"


def _differs(table: BaseModel, name: str) -> bool:
    return bool(getattr(table, name) != type(table).model_fields[name].default)


def _word(given: Any) -> str:  # noqa: ANN401  (whatever a field holds)
    """A field's value in words."""
    if isinstance(given, BaseModel):
        return words_of(given)
    if isinstance(given, tuple):
        return f"[{', '.join(_word(entry) for entry in given)}]"
    return f"{given:g}" if isinstance(given, float) else str(given)
