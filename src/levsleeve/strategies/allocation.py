"""Base weights that move with prices: rotation by trailing return, and inverse volatility."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from levsleeve.compiled import Floats
from levsleeve.strategies.choices import Choice, Sessions
from levsleeve.strategies.history import History
from levsleeve.strategies.series import levels, rolling_volatility, trailing_return

FEWEST = 2


class Rotation(Choice):
    """Hold the ``hold`` funds of the highest trailing return, in equal parts of the whole weight.

    The return is over ``window`` sessions that ended ``skip`` sessions ago; with ``absolute`` a
    chosen fund that earned no more than bills leaves its part in cash.  Ties go to the fund that is
    named first.
    """

    kind: Literal["rotation"] = "rotation"
    window: Sessions = 252
    skip: Annotated[int, Field(ge=0, le=2520)] = 0
    hold: Annotated[int, Field(ge=1)] = 1
    absolute: bool = True

    @property
    def longest(self) -> int:
        """Sessions that it must have seen."""
        return self.window + self.skip

    def weights(self, history: History, base: Floats, sized: Floats) -> Floats:
        """Weights by session and fund; nan until the window is full."""
        names = np.flatnonzero(sized)
        trailing = np.column_stack(
            [
                trailing_return(levels(history.funds[:, i].copy()), self.window, self.skip)
                for i in names
            ]
        )
        bills = trailing_return(history.worth_of_bills, self.window, self.skip)
        order = np.argsort(-trailing, axis=1, kind="stable")[:, : self.hold]
        part = np.abs(base[names]).sum() / self.hold
        found = np.tile(base, (len(bills), 1))
        found[:, names] = 0.0
        for place in range(order.shape[1]):
            chosen = order[:, place]
            better = trailing[np.arange(len(bills)), chosen] > bills
            held = part * better if self.absolute else np.full(len(bills), part)
            found[np.arange(len(bills)), names[chosen]] += held
        found[np.isnan(trailing).any(axis=1)] = np.nan
        return found


class InverseVolatility(Choice):
    """Divide the whole weight in inverse proportion to each fund's volatility over ``window``.

    The signs are those of the base weights.
    """

    kind: Literal["inverse_volatility"] = "inverse_volatility"
    window: Sessions = 63

    @property
    def longest(self) -> int:
        """Sessions that it must have seen."""
        return self.window

    def weights(self, history: History, base: Floats, sized: Floats) -> Floats:
        """Weights by session and fund; nan until the window is full."""
        names = np.flatnonzero(sized)
        window = max(self.window, FEWEST)
        volatility = np.column_stack(
            [rolling_volatility(history.funds[:, i].copy(), window) for i in names]
        )
        with np.errstate(divide="ignore"):
            inverse = 1.0 / np.maximum(volatility, np.finfo(float).tiny)
        parts = inverse / inverse.sum(axis=1, keepdims=True)
        found = np.tile(base, (len(parts), 1))
        found[:, names] = parts * np.abs(base[names]).sum() * np.sign(base[names])
        return found


Allocation = Annotated[Rotation | InverseVolatility, Field(discriminator="kind")]
