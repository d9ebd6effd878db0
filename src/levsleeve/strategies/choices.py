"""Tables of a study file that a strategy file may also make: refused in the same words."""

from typing import Annotated

from pydantic import Field, ValidationError

from levsleeve.errors import StudyError
from levsleeve.strict_table import StrictTable, in_words

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]
Sessions = Annotated[int, Field(ge=1, le=5040)]
"""A number of sessions, up to twenty years."""


class Choice(StrictTable):
    """A table that can also be made in Python, by keywords.

    Raises
    ------
    StudyError
        In words, naming the key.
    """

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise StudyError(f"{type(self).__name__}: {in_words(error, type(self))}") from None

    # As part of a table it is checked with the table, whose findings then name the whole place.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]
