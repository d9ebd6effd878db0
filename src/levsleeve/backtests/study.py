"""A study file: which sleeves, over which sessions, in what kind of account."""

import tomllib
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from levsleeve.errors import StudyError

Fraction = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
Dollars = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
ParameterValue = float | int | str | bool


class _Table(BaseModel):
    """A table of a study file: strict types, no unknown keys, never changed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AccountTable(_Table):
    """The account that every sleeve of the study starts with, and what its broker charges."""

    cash_usd: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] = 100_000.0
    financing: str = "ibkr"
    commission: str = "ibkr_fixed"
    fund_half_spread_rate: Fraction = 0.0002
    option_half_spread_rate: Fraction = 0.05
    option_half_spread_minimum_usd: Dollars = 0.05
    liquidation_penalty_rate: Fraction = 0.0


class SleeveTable(_Table):
    """One sleeve: a strategy by name or path, and the parameters that differ from its own."""

    name: Name
    strategy: str
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)


class Study(_Table):
    """A parsed study file; ``rules_as_of`` is a fixed date, or ``"session"`` for each date's own.

    ``rules_beside`` runs every sleeve a second time under other rules, and ``volatility_beside``
    every sleeve with puts under another skew model; the comparison prints both beside the first.
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
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file; a study is a TOML file") from None
    except IsADirectoryError:
        raise StudyError(f"{path}: a folder; a study is a TOML file") from None
    except OSError as error:
        raise StudyError(
            f"{path}: cannot be read ({error.strerror}); a study is a TOML file"
        ) from None
    except UnicodeDecodeError:
        raise StudyError(f"{path}: not UTF-8 text; a study is a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{path}: not TOML: {error}") from None
    return parse_study(tables, subject=str(path))


def parse_study(tables: Mapping[str, Any], subject: str = "study") -> Study:
    """Check the tables of a study that were read or built elsewhere."""
    try:
        return Study.model_validate(dict(tables))
    except ValidationError as error:
        first = error.errors()[0]
        raise StudyError(f"{subject}: {_in_words(first)}") from None


def _in_words(error: ErrorDetails) -> str:
    """One of pydantic's findings as ``key: what is wrong, with the value; what would be right``."""
    location = error["loc"]
    branch = str(location[-1]) if location and location[-1] in _BRANCHES else ""
    key = ".".join(str(part) for part in (location[:-1] if branch else location))
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "missing":
        return f"{key}: missing; this key is required"
    if error["type"] == "extra_forbidden":
        known = _keys_beside(location)
        near = get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        return f"{key}: unknown key; {hint}"
    right = _BRANCHES.get(branch) or _expected(error)
    return f"{key}: {_shown(error['input'])}; {right} is right"


_BRANCHES = {
    "date": 'a date such as 2018-12-31 without quotes, or "session",',
    **dict.fromkeys(("float", "int", "str", "bool"), "a number, a text, true or false"),
}
"""What pydantic calls the branches of a key that takes several types, and what such a key takes."""


def _expected(error: ErrorDetails) -> str:
    """What would be right instead, in a few words."""
    context = error.get("ctx", {})
    words = {
        "greater_than": f"a number above {context.get('gt')}",
        "greater_than_equal": f"a number of at least {context.get('ge')}",
        "less_than": f"a number below {context.get('lt')}",
        "finite_number": "a finite number",
        "float_type": "a number",
        "string_type": "text in quotes",
        "date_type": "a date such as 2018-12-31 without quotes",
        "literal_error": str(context.get("expected")),
        "string_pattern_mismatch": "a name of letters, digits, - and _, 64 at most,",
        "too_short": "at least one table",
        "tuple_type": "a list of [[sleeve]] tables",
        "dict_type": "a table",
        "model_type": "a table",
    }
    return words.get(error["type"], error["msg"])


def _keys_beside(location: tuple[str | int, ...]) -> list[str]:
    """The keys that are known at the place of an unknown one."""
    tables: dict[str, type[BaseModel]] = {"account": AccountTable, "sleeve": SleeveTable}
    table = tables.get(str(location[0]), Study) if len(location) > 1 else Study
    return [field.alias or name for name, field in table.model_fields.items()]


def _shown(value: object) -> str:
    """A value as it may stand in a message: short."""
    text = repr(value)
    longest = 60
    return text if len(text) <= longest else f"{text[:longest]}..."
