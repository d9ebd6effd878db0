"""Sizing rules by the cushion above a floor: what the account may lose decides what it holds."""

from typing import Literal

import numpy as np

from levsleeve.strategies.branches import Branch, Seen
from levsleeve.strategies.choices import Fraction, Positive
from levsleeve.strategies.series import levels
from levsleeve.strategies.sizing_base import SizingRule


class Cppi(SizingRule):
    """Index exposure of ``multiplier`` times the cushion above a floor that grows with bills.

    ``floor`` is a fraction of the equity at the start.  It is gap-safe only up to
    ``multiplier <= 1 / worst move of one session``: a greater gap breaks the floor.

    References
    ----------
    Black, F. and Perold, A. (1992), Journal of Economic Dynamics and Control 16(3-4).
    """

    rule: Literal["cppi"] = "cppi"
    multiplier: Positive = 3.0
    floor: Fraction = 0.8

    def branches(self, seen: Seen) -> list[Branch]:
        """A cushion above a path known ahead."""
        earned = seen.history.bills.copy()
        earned[: seen.history.first + 1] = 0.0
        floors = self.floor * levels(earned)
        return [Branch(np.ones(seen.rows), floors, np.nan, self.multiplier / seen.gross_turns)]


class Tipp(SizingRule):
    """Index exposure of ``multiplier`` times the cushion above a part of the highest equity.

    The floor, ``floor_frac`` of it, never falls, and from a cushion of 0 there is no way back.

    References
    ----------
    Estep, T. and Kritzman, M. (1988), Journal of Portfolio Management 14(4).
    """

    rule: Literal["tipp"] = "tipp"
    multiplier: Positive = 5.0
    floor_frac: Fraction = 0.8

    def branches(self, seen: Seen) -> list[Branch]:
        """A cushion below the peak."""
        scale = self.multiplier / seen.gross_turns
        return [Branch(np.ones(seen.rows), seen.unknown, self.floor_frac, scale)]


class GrossmanZhou(SizingRule):
    """Index exposure ``k (E - alpha M) / E``, with ``M`` the highest equity so far.

    In continuous trading the drawdown stays within ``1 - alpha``; ``k`` is the exposure of a
    cushion's dollar.

    References
    ----------
    Grossman, S. and Zhou, Z. (1993), Mathematical Finance 3(3).
    """

    rule: Literal["grossman_zhou"] = "grossman_zhou"
    alpha: Fraction = 0.75
    k: Positive = 3.0

    def branches(self, seen: Seen) -> list[Branch]:
        """A cushion below the peak."""
        return [Branch(np.ones(seen.rows), seen.unknown, self.alpha, self.k / seen.gross_turns)]
