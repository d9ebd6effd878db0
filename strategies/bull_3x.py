"""A 3x bull fund at a fixed fraction of equity, without a hedge: what the others are judged by."""

from typing import Any

from levsleeve import Holding, Sleeve, SleeveStrategy


class Bull3x(SleeveStrategy):
    """Hold ``weight`` of equity in the bull; set it anew at each month's first close."""

    params = (("fund", "UPRO"), ("weight", 0.50), ("cap", 0.60))

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        """The sleeve."""
        bull = Holding(parameters.fund, parameters.weight)
        return Sleeve(holdings=(bull,), cap=parameters.cap)
