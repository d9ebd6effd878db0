"""Strict tables: what users write in TOML or JSON, checked by pydantic, refused in plain words."""

from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from levsleeve.errors import LevsleeveError


def user_text(path: Path, right: str, error: type[LevsleeveError]) -> str:
    """The text of a user's file; ``right`` says what it should have been.

    A byte-order mark is taken off.

    Raises
    ------
    LevsleeveError
        Of the type ``error``, naming the path.
    """
    try:
        return decoded(path.read_bytes(), str(path), right, error)
    except FileNotFoundError:
        raise error(f"{path}: no such file; {right}") from None
    except IsADirectoryError:
        raise error(f"{path}: a folder; {right}") from None
    except OSError as failure:
        raise error(f"{path}: cannot be read ({failure.strerror}); {right}") from None


def decoded(raw: bytes, subject: str, right: str, error: type[LevsleeveError]) -> str:
    """The text of what a user gave in bytes.

    Raises
    ------
    LevsleeveError
        Of the type ``error``, naming the subject.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise error(f"{subject}: not UTF-8 text; {right}") from None


class StrictTable(BaseModel):
    """A table of a user's file: strict types, no unknown keys, never changed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def in_words(error: ValidationError, table: type[BaseModel]) -> str:
    """The first finding as ``key: what is wrong, with the value; what would be right``.

    Unknown keys go first: a key that is missing may be one that is misspelt.
    """
    findings = sorted(error.errors(), key=lambda finding: finding["type"] != "extra_forbidden")
    return _finding(findings[0], table)


def _finding(error: ErrorDetails, table: type[BaseModel]) -> str:
    """One of pydantic's findings in words."""
    location, inside = _place(error["loc"], table)
    context = error.get("ctx", {})
    if error["type"] in ("union_tag_not_found", "union_tag_invalid"):
        location = (*location, context["discriminator"].strip("'"))
    branch = str(location[-1]) if len(location) > 1 and location[-1] in _BRANCHES else ""
    key = ".".join(str(part) for part in (location[:-1] if branch else location))
    if error["type"] == "value_error":
        told = str(context["error"])
        joint = "." if told.split(":")[0].isidentifier() else ": "
        return f"{key}{joint}{told}" if key else told
    if error["type"] in ("missing", "union_tag_not_found"):
        return f"{key}: missing; this key is required"
    if error["type"] == "extra_forbidden":
        known = [f.alias or name for model in inside for name, f in model.model_fields.items()]
        near = get_close_matches(str(location[-1]), known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        return f"{key}: unknown key; {hint}"
    right = _BRANCHES.get(branch) or _expected(error)
    told = f"{_shown(context.get('tag', error['input']))}; {right} is right"
    return f"{key}: {told}" if key else told


_BRANCHES = {
    "date": 'a date such as 2018-12-31 without quotes, or "session",',
    **dict.fromkeys(("float", "int", "str", "bool"), "a number, a text, true or false"),
    "constrained-float": 'a fraction such as 0.1, or "history",',
}
"""What pydantic calls the branches of a key that takes several types, and what such a key takes."""


def _expected(error: ErrorDetails) -> str:
    """What would be right instead, in a few words."""
    context = error.get("ctx", {})
    words = {
        "greater_than": f"a number above {context.get('gt', 0):g}",
        "greater_than_equal": f"a number of at least {context.get('ge', 0):g}",
        "less_than": f"a number below {context.get('lt', 0):g}",
        "less_than_equal": f"a number of at most {context.get('le', 0):g}",
        "finite_number": "a finite number",
        "float_type": "a number",
        "int_type": "a whole number",
        "bool_type": "true or false",
        "string_type": "text in quotes",
        "string_too_short": "text in quotes",
        "date_type": "a date such as 2018-12-31 without quotes",
        "date_from_datetime_parsing": 'a date such as "2018-12-31"',
        "date_parsing": 'a date such as "2018-12-31"',
        "date_from_datetime_inexact": 'a date such as "2018-12-31"',
        "literal_error": str(context.get("expected")),
        "string_pattern_mismatch": "a name of letters, digits, - and _, 64 at most,",
        "too_short": _at_least(context.get("min_length", 1)),
        "tuple_type": f"a list of [[{error['loc'][-1] if error['loc'] else 'table'}]] tables",
        "list_type": "a list",
        "dict_type": "a table",
        "model_type": "a table",
        "model_attributes_type": "a table",
        "union_tag_invalid": f"one of {context.get('expected_tags')}",
    }
    return words.get(error["type"], error["msg"])


def _at_least(tables: int) -> str:
    """So many tables in words."""
    return "at least one table" if tables == 1 else f"at least {tables} tables"


def _place(
    location: tuple[str | int, ...], table: type[BaseModel]
) -> tuple[tuple[str | int, ...], list[type[BaseModel]]]:
    """A place as its writer sees it, and the tables it may lie in.

    Pydantic adds the kind of a table that comes in several kinds to the place; here it is taken out
    again and used to tell which table is meant.
    """
    kept: list[str | int] = []
    inside, choices = [table], [table]
    for part in location:
        meant = [model for model in choices if str(part) in _kinds(model)]
        if meant and len(choices) > 1:
            choices = meant
            continue
        kept.append(part)
        inside = choices
        fields = [field for model in choices for field in _fields_named(model, str(part))]
        choices = [model for field in fields for model in _models_of(field.annotation)] or choices
    return tuple(kept), inside


def _fields_named(table: type[BaseModel], part: str) -> list[FieldInfo]:
    """The field of that name or alias, if any."""
    return [f for name, f in table.model_fields.items() if part in (name, f.alias)]


def _kinds(table: type[BaseModel]) -> tuple[str, ...]:
    """The values of the key that tells its kind."""
    tags = [table.model_fields[tag] for tag in ("kind", "rule") if tag in table.model_fields]
    return get_args(tags[0].annotation) if tags else ()


def _models_of(annotation: object) -> list[type[BaseModel]]:
    """Every model that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_of(part)]


def _shown(value: object) -> str:
    """A value as it may stand in a message: short, dates in ISO form."""
    text = str(value) if isinstance(value, date) else repr(value)
    longest = 60
    return text if len(text) <= longest else f"{text[:longest]}..."
