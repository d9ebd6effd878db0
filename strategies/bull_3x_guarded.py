"""The 3x bull beside a core of the index, sized by trend and volatility, watched by a ladder."""

from typing import Any

from levsleeve import (
    Exits,
    Holding,
    Product,
    Sleeve,
    SleeveStrategy,
    StopFlight,
    Trend,
    VolatilityTarget,
)


class Bull3xGuarded(SleeveStrategy):
    """Hold up to ``weight`` in the bull while the index is above its average of ``window`` closes.

    Within it the weight aims at a volatility of ``target_vol`` a year.  Stop-flight cuts it at the
    gap-safe margin utilization, and it is sold after a drawdown of ``max_drawdown``.
    """

    params = (
        ("fund", "UPRO"),
        ("weight", 0.50),
        ("cap", 0.60),
        ("core_fund", "SP500"),
        ("core_weight", 0.40),
        ("window", 200),
        ("target_vol", 0.20),
        ("max_drawdown", 0.25),
    )

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        """The sleeve."""
        trend = Trend(window=parameters.window)
        target = VolatilityTarget(target_vol=parameters.target_vol)
        return Sleeve(
            holdings=(Holding(parameters.fund, parameters.weight),),
            core=(Holding(parameters.core_fund, parameters.core_weight),),
            cap=parameters.cap,
            sizing=Product(rules=(trend, target)),
            stop_flight=StopFlight(),
            exits=Exits(max_drawdown=parameters.max_drawdown, filter=trend),
            rebalance="weekly",
            band=0.02,
        )
