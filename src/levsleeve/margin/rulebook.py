"""The rulebook that an account lives under: dated rules, switches and the broker's house rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from pydantic import ValidationError

from levsleeve.compiled import Floats
from levsleeve.errors import StudyError
from levsleeve.margin.book import FundTerms, fund_terms
from levsleeve.margin.house import NO_OVERLAY, overlay_row
from levsleeve.margin.policy import FlowOverlay, Overlay, Policy, VolatilityOverlay
from levsleeve.margin.profile import DEFAULT_PROFILE, Profile, load_profile
from levsleeve.margin.schedule import margin_rules
from levsleeve.strict_table import in_words


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A broker's profile with the switches that are set otherwise.

    ``rules_as_of`` freezes rules and dated house rates at a date; None applies each session's own.
    """

    profile: Profile
    policy: Policy
    rules_as_of: date | None = None

    @property
    def overlays(self) -> tuple[Overlay, ...]:
        """The house overlays of the profile, and that of the policy."""
        extra = () if self.policy.house is None else (self.policy.house,)
        return (*self.profile.house, *extra)

    @property
    def needs_state(self) -> tuple[str, ...]:
        """What state-dependent overlays look at: ``volatility``, ``flow``, both or nothing."""
        kinds = {type(overlay) for overlay in self.overlays}
        seen = ((VolatilityOverlay, "volatility"), (FlowOverlay, "flow"))
        return tuple(name for kind, name in seen if kind in kinds)

    def rules(self, session: date) -> Floats:
        """The row of requirements of a session."""
        return margin_rules(self.rules_as_of or session, self.policy, session)

    def overlay(
        self,
        session: date,
        multiple: float,
        volatility: float = np.nan,
        index_return: float = np.nan,
    ) -> Floats:
        """The row of house overlays of a session for a fund; state as in ``overlay_row``."""
        on = self.rules_as_of or session
        return overlay_row(self.overlays, on, multiple, volatility, index_return)

    def terms(
        self,
        session: date,
        multiples: Sequence[float],
        benchmark_classes: Sequence[float],
        volatility: float = np.nan,
        index_return: float = np.nan,
    ) -> FundTerms:
        """What the compiled rules need of several funds on one session."""
        overlays = [self.overlay(session, m, volatility, index_return) for m in multiples]
        return fund_terms(
            np.array(multiples, dtype=np.float64),
            np.array(benchmark_classes, dtype=np.float64),
            np.array(overlays) if overlays else np.zeros((0, NO_OVERLAY.size)),
            self.rules(session),
        )


def rulebook(
    profile: Profile | str = DEFAULT_PROFILE,
    switches: Mapping[str, Any] | Policy | None = None,
    rules_as_of: date | None = None,
) -> Rulebook:
    """A profile with some of its switches set otherwise.

    Raises
    ------
    StudyError
        If a switch is unknown, or two contradict each other.

    Examples
    --------
    >>> rulebook("ibkr", {"hedge_relief": "finra"}).policy.hedge_relief
    'finra'
    """
    broker = load_profile(profile) if isinstance(profile, str) else profile
    given = switches.given if isinstance(switches, Policy) else switches
    merged = {**broker.policy.given, **(given or {})}
    try:
        policy = Policy.model_validate(merged)
    except ValidationError as error:
        raise StudyError(f"policy: {in_words(error, Policy)}") from None
    if policy.flat_rate is not None and broker.house:
        raise StudyError(
            f"policy: flat_rate: {policy.flat_rate:g} replaces the rulebook that the profile's "
            "house rates overlay; a profile without house rates is right"
        )
    return Rulebook(broker, policy, rules_as_of)
