"""The 3x bull sleeve with a layer of an inverse fund that offsets part of its exposure."""

from typing import Any

from levsleeve import Holding, InverseLayer, Sleeve, SleeveStrategy


class Bull3xInverse(SleeveStrategy):
    """Hold the bull and, against ``ratio`` of its index exposure, an inverse fund."""

    params = (
        ("fund", "UPRO"),
        ("weight", 0.50),
        ("cap", 0.65),
        ("inverse_fund", "SPXU"),
        ("ratio", 0.25),
    )

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        """The sleeve."""
        bull = Holding(parameters.fund, parameters.weight)
        layer = InverseLayer(parameters.inverse_fund, parameters.ratio)
        return Sleeve(holdings=(bull,), cap=parameters.cap, hedge=layer)
