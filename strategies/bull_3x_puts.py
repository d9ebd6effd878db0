"""The 3x bull sleeve under rolling one-month protective puts on the fund itself."""

from typing import Any

from levsleeve import Holding, ProtectivePut, Sleeve, SleeveStrategy


class Bull3xPuts(SleeveStrategy):
    """Hold the bull and a put on every hundred shares, renewed on each monthly expiry."""

    params = (
        ("fund", "UPRO"),
        ("weight", 0.50),
        ("cap", 0.60),
        ("moneyness", 0.85),
        ("tenor_days", 30.0),
        ("coverage", 1.0),
    )

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        """The sleeve."""
        put = ProtectivePut(
            fund=parameters.fund,
            moneyness=parameters.moneyness,
            tenor_days=parameters.tenor_days,
            coverage=parameters.coverage,
        )
        bull = Holding(parameters.fund, parameters.weight)
        return Sleeve(holdings=(bull,), cap=parameters.cap, hedge=put)
