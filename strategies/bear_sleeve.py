"""A bear sleeve, held in one of two ways: a long inverse fund, or a short bull fund."""

from typing import Any

from levsleeve import Holding, Sleeve, SleeveStrategy, StudyError


class BearSleeve(SleeveStrategy):
    """The same index exposure, ``form`` being ``"long_inverse"`` or ``"short_bull"``."""

    params = (
        ("form", "long_inverse"),
        ("bull_fund", "UPRO"),
        ("inverse_fund", "SPXU"),
        ("weight", 0.50),
        ("cap", 0.60),
    )

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        """The sleeve."""
        forms = {
            "long_inverse": Holding(parameters.inverse_fund, parameters.weight),
            "short_bull": Holding(parameters.bull_fund, -parameters.weight),
        }
        if parameters.form not in forms:
            raise StudyError(f"form: {parameters.form!r}; one of {', '.join(forms)} is right")
        return Sleeve(holdings=(forms[parameters.form],), cap=parameters.cap)
