import tomllib
from collections.abc import Callable
from datetime import date
from importlib.resources import files

import pytest

from levsleeve.errors import ScheduleError
from levsleeve.margin.schedule import ShareRules, share_rule_source, share_rules


def test_the_rules_of_2009_differ_from_the_earlier_ones_in_the_scaling_alone() -> None:
    # FINRA Rule 4210(b)(4), (c); 12 CFR 220.12; FINRA Regulatory Notice 09-53.
    before = ShareRules(
        long_base=0.25,
        short_base=0.30,
        scales_with_multiple=0.0,
        initial=0.50,
        short_floor_usd=5.00,
        short_low_floor_usd=2.50,
        minimum_equity_usd=2_000.0,
    )
    assert share_rules(date(1990, 1, 1)) == before
    assert share_rules(date(2009, 11, 30)) == before
    assert share_rules(date(2009, 12, 1)) == before._replace(scales_with_multiple=1.0)
    assert share_rules(date(2026, 5, 1)) == before._replace(scales_with_multiple=1.0)


def test_every_field_of_the_rules_is_a_float_for_the_compiler() -> None:
    assert {type(value) for value in share_rules(date(2020, 1, 2))} == {float}


@pytest.mark.parametrize(
    ("on", "source"),
    [
        (
            date(2009, 11, 30),
            "NYSE 431 and NASD 2520, now FINRA 4210(b)(4), (c); 12 CFR 220.12 "
            "(secondary; start of the table assumed)",
        ),
        (
            date(2009, 12, 1),
            "FINRA Regulatory Notice 09-53: base rates times the fund's multiple, "
            "at most 100 % of value (secondary)",
        ),
    ],
)
def test_a_requirement_says_where_it_comes_from_and_how_well_it_is_known(
    on: date, source: str
) -> None:
    assert share_rule_source(on) == source


@pytest.mark.parametrize(
    ("asked", "subject"),
    [
        (share_rules, "the requirement on shares"),
        (share_rule_source, "the requirement on shares"),
    ],
)
def test_a_day_before_the_table_is_refused_with_the_start_of_the_table(
    asked: Callable[[date], object], subject: str
) -> None:
    with pytest.raises(ScheduleError) as refused:
        asked(date(1989, 12, 31))
    assert str(refused.value) == (
        f"{subject} has no entry on 1989-12-31; the table starts 1990-01-01"
    )


def test_the_dated_requirements_ascend_and_state_their_source_and_standing() -> None:
    folder = files("levsleeve.margin").joinpath("tables")
    shares = tomllib.loads(folder.joinpath("shares.toml").read_text(encoding="utf-8"))
    days = [entry["effective"] for entry in shares["requirement"]]
    assert days == sorted(set(days))
    for entry in shares["requirement"]:
        assert entry["source"]
        assert entry["standing"]
