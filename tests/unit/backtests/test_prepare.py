from datetime import date
from pathlib import Path
from typing import Any

import backtrader as bt
import pytest

from levsleeve import Holding, InverseLayer, ProtectivePut, Sleeve, SleeveStrategy
from levsleeve.backtests.needs import Needs
from levsleeve.backtests.prepare import Prepared, prepare
from levsleeve.backtests.study import SleeveTable
from levsleeve.errors import StudyError


class Plain(bt.Strategy):
    pass


class Tuned(bt.Strategy):
    params = {  # noqa: RUF012  (one of the forms that Backtrader takes)
        "period": 20,
        "rate": 0.5,
        "fund": "UPRO",
        "loud": False,
        "limit": None,
        "since": date(2008, 1, 2),
        "ladder": (1, 2, 3),
    }


class Cutting(bt.Strategy):
    on_shortfall = "cut"


class Mistaken(bt.Strategy):
    on_shortfall = "buy"


class Hedged(SleeveStrategy):
    params = (("hedge", None),)

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:
        hedges: dict[str, Any] = {"put": ProtectivePut("UPRO"), "layer": InverseLayer("SPXU")}
        return Sleeve((Holding("UPRO", 0.4),), cap=0.6, hedge=hedges.get(parameters.hedge))


class Asking(bt.Strategy):
    @classmethod
    def run_needs(cls, parameters: Any) -> Needs:  # noqa: ARG003  (what every strategy is asked)
        return Needs(("SSO", "SDS"), ("SSO:put",))


def ready(strategy: type[bt.Strategy], **table: Any) -> Prepared:
    """The strategy prepared as the sleeve ``a`` of ``s.toml``."""
    return prepare(SleeveTable(name="a", strategy="x", **table), Path("s.toml"), strategy)


def test_a_plain_strategy_trades_upro_unless_the_study_names_its_feeds() -> None:
    assert ready(Plain).needs == Needs(("UPRO",))
    needs = ready(Plain, funds=["SSO", "SDS"], slots=["put"]).needs
    assert (needs.feeds, needs.hedge, needs.on_shortfall) == (
        ("SSO", "SDS", "put"), "none", "refuse",
    )  # fmt: skip


def test_any_strategy_may_say_by_itself_what_it_needs() -> None:
    assert ready(Asking).needs == Needs(("SSO", "SDS"), ("SSO:put",))


@pytest.mark.parametrize(
    ("hedge", "needs"),
    [
        ("none", Needs(("UPRO",), on_shortfall="cut")),
        (
            "put",
            Needs(("UPRO",), ("UPRO:put",), "protective_put", ("UPRO:put",), on_shortfall="cut"),
        ),
        (
            "layer",
            Needs(("UPRO", "SPXU"), (), "inverse_layer", ("SPXU",), on_shortfall="cut"),
        ),
    ],
)
def test_a_sleeve_needs_what_its_description_holds(hedge: str, needs: Needs) -> None:
    assert ready(Hedged, parameters={"hedge": hedge}).needs == needs


def test_on_shortfall_is_the_studys_before_the_strategys() -> None:
    assert ready(Cutting).needs.on_shortfall == "cut"
    assert ready(Cutting, on_shortfall="refuse").needs.on_shortfall == "refuse"
    assert ready(Hedged, on_shortfall="refuse").needs.on_shortfall == "refuse"
    assert ready(Plain, on_shortfall="cut").needs.on_shortfall == "cut"


def test_parameters_of_any_type_are_kept_and_only_those_of_the_study_are_checked() -> None:
    assert ready(Plain).parameters == {}
    kept = ready(Tuned, parameters={"period": 10, "rate": 1}).parameters
    assert kept == {
        "period": 10,
        "rate": 1.0,
        "fund": "UPRO",
        "loud": False,
        "limit": None,
        "since": date(2008, 1, 2),
        "ladder": (1, 2, 3),
    }
    assert isinstance(kept["rate"], float)


@pytest.mark.parametrize("limit", [3, 0.1, "high", True])
def test_a_parameter_that_is_none_by_default_takes_any_value(limit: Any) -> None:
    assert ready(Tuned, parameters={"limit": limit}).parameters["limit"] is limit


@pytest.mark.parametrize(
    ("strategy", "table", "message"),
    [
        (Plain, {"parameters": {"x": 1}}, "parameters.x: unknown to Plain; known are none"),
        (
            Tuned,
            {"parameters": {"perod": 1}},
            "parameters.perod: unknown to Tuned; did you mean period?",
        ),
        (
            Tuned,
            {"parameters": {"period": 2.5}},
            "parameters.period: 2.5; a value like 20 is right",
        ),
        (
            Tuned,
            {"parameters": {"ladder": 1}},
            "parameters.ladder: 1; a value like (1, 2, 3) is right",
        ),
        (Plain, {"funds": []}, "funds: none; a strategy trades at least one"),
        (Mistaken, {}, "on_shortfall: 'buy'; 'cut' or 'refuse' is right"),
        (
            Hedged,
            {"funds": ["UPRO"]},
            "funds: Hedged names its own; its parameters change them",
        ),
        (Asking, {"slots": []}, "slots: Asking names its own; its parameters change them"),
    ],
)
def test_what_cannot_be_run_is_refused_by_study_and_sleeve(
    strategy: type[bt.Strategy], table: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError) as refused:
        ready(strategy, **table)
    assert str(refused.value) == f"s.toml: sleeve a: {message}"
