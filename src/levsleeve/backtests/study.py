"""A study file: which sleeves, over which sessions, in what kind of account."""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from levsleeve.backtests.account_table import AccountTable
from levsleeve.backtests.needs import OnShortfall
from levsleeve.backtests.rules_table import RulesTable
from levsleeve.errors import StudyError
from levsleeve.strict_table import StrictTable, in_words, user_text

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
SlotName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_:-]{0,63}$")]
ParameterValue = float | int | str | bool


class SleeveTable(RulesTable):
    """One sleeve: a strategy by name or path, and the parameters that differ from its own.

    ``funds`` and ``slots`` are the feeds of a Backtrader strategy that does not name its own; the
    keys of ``RulesTable`` take the place of what a sleeve's strategy describes.
    """

    name: Name
    strategy: str
    funds: list[str] | None = None
    slots: list[SlotName] = Field(default_factory=list)
    on_shortfall: OnShortfall | None = None
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)

    def unruled(self) -> "SleeveTable":
        """The same without the keys that take the place of the strategy's description."""
        return self.model_copy(update=dict.fromkeys(RulesTable.model_fields))


class Study(StrictTable):
    """A parsed study file; ``rules_as_of`` is a fixed date, or ``"session"`` for each date's own.

    ``rules_beside`` runs every sleeve a second time under other rules, and ``volatility_beside``
    every sleeve with options under another skew model; the comparison prints both beside the first.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: Name
    title: str = ""
    start: date
    end: date
    benchmark: str = "SP500"
    rules_as_of: date | Literal["session"] = "session"
    rules_beside: date | Literal["session"] | None = None
    volatility_model: str = "vix_standard_skew"
    volatility_beside: str | None = None
    account: AccountTable = Field(default_factory=AccountTable)
    sleeve: Annotated[tuple[SleeveTable, ...], Field(min_length=1, strict=False)]

    @model_validator(mode="after")
    def _agrees(self) -> "Study":
        """What no single key can show."""
        if self.start >= self.end:
            raise ValueError(
                f"start: {self.start} is not before end {self.end}; an earlier date is right"
            )
        names = [sleeve.name for sleeve in self.sleeve]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"sleeve: the name {doubled[0]} is used twice; names must differ")
        return self


def read_study(path: Path) -> Study:
    """Read and check a study file.

    Raises
    ------
    StudyError
        With the file, the key and what would be right.
    """
    text = user_text(path, "a study is a TOML file", StudyError)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path}: not TOML: {error}") from None
    return parse_study(tables, subject=str(path))


def parse_study(tables: Mapping[str, Any], subject: str = "study") -> Study:
    """Check the tables of a study that were read or built elsewhere."""
    try:
        return Study.model_validate(dict(tables))
    except ValidationError as error:
        raise StudyError(f"{subject}: {in_words(error, Study)}") from None
