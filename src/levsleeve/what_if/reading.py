"""Reading an account snapshot: a JSON file, the bytes of one, or the same as a mapping."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from numbers import Real
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from levsleeve.errors import AccountError
from levsleeve.strict_table import decoded, in_words, user_text
from levsleeve.what_if.snapshot import Snapshot

RIGHT = "an account snapshot is a JSON file"


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot, what to call it in an error, and the folder that a profile's path starts from.

    Without a folder a path starts from the current one.
    """

    snapshot: Snapshot
    subject: str
    folder: Path | None = None


def read_account(account: Mapping[str, Any] | str | Path) -> Reading:
    """Read a snapshot from the path of a JSON file, or from a mapping of the same form.

    Raises
    ------
    AccountError
        With one message if the file cannot be read or is not a snapshot.
    """
    if isinstance(account, Mapping):
        return _reading(json.dumps(dict(account), default=_plain), "account")
    path = Path(account)
    return _reading(user_text(path, RIGHT, AccountError), str(path), path.parent)


def read_bytes(raw: bytes, subject: str, folder: Path | None = None) -> Reading:
    """Read a snapshot from the bytes of a JSON document.

    Raises
    ------
    AccountError
        With the subject, the key and what would be right.
    """
    return _reading(decoded(raw, subject, RIGHT, AccountError), subject, folder)


def _reading(text: str, subject: str, folder: Path | None = None) -> Reading:
    """Check the document as JSON, then as a snapshot."""
    _check_json(text, subject)
    try:
        snapshot = Snapshot.model_validate_json(text)
    except ValidationError as error:
        found = error.errors()[0]
        wrong = in_words(error, Snapshot)
        if found["type"] == "json_invalid":
            wrong = f"not JSON: {found['ctx']['error']}"
        raise AccountError(f"{subject}: {wrong}") from None
    return Reading(snapshot, subject, folder)


def _check_json(text: str, subject: str) -> None:
    """Refuse what is not JSON, a key that is given twice, and text that no terminal can show."""

    def checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for key, value in pairs:
            if not key.isprintable():
                raise AccountError(f"{subject}: {key!r}: a key without control characters is right")
            if isinstance(value, str) and not value.isprintable():
                raise AccountError(
                    f"{subject}: {key}: {value!r}; text without control characters is right"
                )
            if key in table:
                raise AccountError(f"{subject}: {key}: given twice; once is right")
            table[key] = value
        return table

    try:
        json.loads(text, object_pairs_hook=checked, parse_int=float)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise AccountError(f"{subject}: not JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise AccountError(f"{subject}: not JSON: nested too deeply") from None


def _plain(value: object) -> object:
    """What a mapping may hold beside JSON's own types: dates, and numbers of other libraries."""
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Real) else str(value)
