import tomllib
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, model_validator

from levsleeve.strict_table import StrictTable, in_words


class Walk(StrictTable):
    kind: Literal["walk"] = "walk"
    paces: int
    flow: Annotated[float, Field(gt=0.0, le=2.0)] = 1.0


class Swim(StrictTable):
    kind: Literal["swim", "dive"] = "swim"
    depth_m: Annotated[float, Field(ge=0.0, lt=9.0, allow_inf_nan=False)]


class Rest(StrictTable):
    minutes: int = 5


Leg = Annotated[Walk | Swim, Field(discriminator="kind")]


class Trip(StrictTable):
    """Every shape that a user's file takes."""

    name: Annotated[str, Field(pattern=r"^[a-z]+$")] = "trip"
    version: Literal[1] = Field(alias="schema", default=1)
    on: date | None = None
    since: date | Literal["session"] = "session"
    guided: bool = False
    rest: Rest = Field(default_factory=Rest)
    leg: Leg | None = None
    legs: Annotated[tuple[Leg, ...], Field(strict=False, max_length=3)] = ()
    notes: Annotated[tuple[Rest, ...], Field(strict=False, min_length=1)] = (Rest(),)
    extras: dict[str, float | int | str | bool] = Field(default_factory=dict)
    names: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees(self) -> "Trip":
        if self.guided and self.name == "alone":
            raise ValueError("guided: True contradicts name alone; one of the two is right")
        return self


def told(text: str) -> str:
    """What is said of a trip written in TOML."""
    with pytest.raises(ValidationError) as refused:
        Trip.model_validate(tomllib.loads(text))
    return in_words(refused.value, Trip)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("naem = 'a'", "naem: unknown key; did you mean name?"),
        (
            "zzzz = 1",
            "zzzz: unknown key; known are name, schema, on, since, guided, rest, leg, legs, notes, "
            "extras, names",
        ),
        ("schemo = 1", "schemo: unknown key; did you mean schema?"),
        ("schema = 2", "schema: 2; 1 is right"),
        (
            "name = 'Two words'",
            "name: 'Two words'; a name of letters, digits, - and _, 64 at most, is right",
        ),
        ("name = 3", "name: 3; text in quotes is right"),
        (
            "on = '2020-01-02'",
            "on: '2020-01-02'; a date such as 2018-12-31 without quotes is right",
        ),
        (
            "on = 2020-01-02T03:04:05",
            "on: 2020-01-02 03:04:05; a date such as 2018-12-31 without quotes is right",
        ),
        (
            "since = 'later'",
            "since: 'later'; a date such as 2018-12-31 without quotes, or \"session\", is right",
        ),
        ("guided = 1", "guided: 1; true or false is right"),
        ("rest = 3", "rest: 3; a table is right"),
        ("rest = { minutez = 3 }", "rest.minutez: unknown key; did you mean minutes?"),
        ("rest = { minutes = 2.5 }", "rest.minutes: 2.5; a whole number is right"),
        ("rest = { minutes = '5' }", "rest.minutes: '5'; a whole number is right"),
        ("notes = []", "notes: []; at least one table is right"),
        ("notes = 3", "notes: 3; a list of [[notes]] tables is right"),
        ("names = 'a'", "names: 'a'; a list is right"),
        ("extras = 1", "extras: 1; a table is right"),
        ("extras = { a = [1] }", "extras.a: [1]; a number, a text, true or false is right"),
        (
            "name = 'alone'\nguided = true",
            "guided: True contradicts name alone; one of the two is right",
        ),
    ],
)
def test_a_finding_names_its_key_its_value_and_what_would_be_right(text: str, message: str) -> None:
    assert told(text) == message


@pytest.mark.parametrize(
    ("leg", "message"),
    [
        ("paces = 3", "kind: missing; this key is required"),
        ("kind = 'wakl'\npaces = 3", "kind: 'wakl'; one of 'walk', 'swim', 'dive' is right"),
        ("kind = 'walk'", "paces: missing; this key is required"),
        ("kind = 'walk'\npacess = 3", "pacess: unknown key; did you mean paces?"),
        ("kind = 'dive'\ndepth = 3.0", "depth: unknown key; did you mean depth_m?"),
        ("kind = 'walk'\npaces = 3\nflow = 0", "flow: 0; a number above 0 is right"),
        ("kind = 'walk'\npaces = 3\nflow = 3.0", "flow: 3.0; a number of at most 2 is right"),
        ("kind = 'swim'\ndepth_m = -1", "depth_m: -1; a number of at least 0 is right"),
        ("kind = 'swim'\ndepth_m = 9", "depth_m: 9; a number below 9 is right"),
        ("kind = 'dive'\ndepth_m = nan", "depth_m: nan; a finite number is right"),
        (
            "kind = 'walk'\npaces = 3\ndepth_m = 1.0",
            "depth_m: unknown key; known are kind, paces, flow",
        ),
    ],
)
def test_a_table_of_several_kinds_is_told_by_the_kind_that_is_meant(leg: str, message: str) -> None:
    assert told(f"[leg]\n{leg}") == f"leg.{message}"
    assert told(f"[[legs]]\nkind = 'walk'\npaces = 1\n[[legs]]\n{leg}") == f"legs.1.{message}"


def test_the_first_unknown_key_goes_before_every_other_finding() -> None:
    assert told("on = 3\nguided = 3\nnaem = 'a'\nzzzz = 1") == (
        "naem: unknown key; did you mean name?"
    )
    assert told("guided = 3\non = 3") == "on: 3; a date such as 2018-12-31 without quotes is right"


def test_a_finding_without_words_of_ours_is_told_in_pydantics() -> None:
    legs = "[[legs]]\nkind = 'walk'\npaces = 1\n" * 4
    assert told(legs).endswith(
        "; Tuple should have at most 3 items after validation, not 4 is right"
    )


def test_a_long_value_is_cut() -> None:
    text = told(f"guided = '{'x' * 200}'")
    assert text == f"guided: '{'x' * 59}...; true or false is right"


def test_a_table_is_never_changed() -> None:
    trip: Any = Trip()
    with pytest.raises(ValidationError):
        trip.name = "other"
