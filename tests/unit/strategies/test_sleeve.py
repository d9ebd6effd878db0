import math
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from levsleeve.errors import DataError, StudyError
from levsleeve.strategies.allocation import InverseVolatility, Rotation
from levsleeve.strategies.cadence import Cadence
from levsleeve.strategies.limits import Caps
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.sizing_rules import Kelly
from levsleeve.strategies.sleeve import Hedge, Holding, InverseLayer, ProtectivePut, Sleeve

BULL, BEAR = "SP500?L=3", "SP500?L=-3"


def sleeve(
    *holdings: tuple[str, float], cap: float = 1.0, hedge: Hedge | None = None, band: float = 0.0
) -> Sleeve:
    return Sleeve(tuple(Holding(*held) for held in holdings), cap, hedge, band=band)


# --- what it trades ------------------------------------------------------------------------------


def test_an_unhedged_sleeve_trades_what_it_holds() -> None:
    plain = sleeve(("UPRO", 0.5), ("SP500", 0.4))
    assert plain.targets == {"UPRO": 0.5, "SP500": 0.4}
    assert plain.funds == ("UPRO", "SP500")
    assert plain.slots == ()
    assert plain.rebalance == "monthly"


def test_the_cap_counts_leveraged_funds_on_both_sides_but_not_the_index() -> None:
    assert sleeve(("UPRO", 0.4), ("SDS", -0.3), ("SP500", 0.9)).leveraged_weight == pytest.approx(
        0.7, abs=1e-15
    )


def test_a_fund_that_moves_one_for_one_against_the_index_counts_under_the_cap() -> None:
    assert sleeve(("SH", 0.4)).leveraged_weight == 0.4


@pytest.mark.parametrize(
    ("held", "weight", "hedge", "ratio", "layer"),
    [
        # ratio x weight x multiple / multiple of the layer's fund
        (BULL, 0.5, BEAR, 0.25, 0.125),
        (BULL, 0.5, BEAR, 1.0, 0.5),
        (BULL, 0.4, "SP500?L=-1", 0.25, 0.3),
        (BULL, 0.4, "SP500?L=-2", 0.5, 0.3),
        ("SP500", 0.6, BEAR, 0.5, 0.1),
        (BULL, -0.2, "SP500?L=2", 0.5, 0.15),  # a short bull is hedged by a long one
        (BEAR, 0.2, BULL, 0.5, 0.1),
    ],
)
def test_an_inverse_layer_offsets_its_part_of_the_index_exposure(
    held: str, weight: float, hedge: str, ratio: float, layer: float
) -> None:
    hedged = sleeve((held, weight), hedge=InverseLayer(hedge, ratio))
    assert hedged.funds == (held, hedge)
    assert hedged.targets[held] == weight
    assert hedged.targets[hedge] == pytest.approx(layer, abs=1e-15)


def test_an_inverse_layer_offsets_all_holdings_together_and_counts_under_the_cap() -> None:
    # 0.2 x 3 + 0.3 x 2 = 1.2 of exposure; a quarter of it over 3.
    hedged = sleeve(("UPRO", 0.2), ("SSO", 0.3), hedge=InverseLayer("SPXU"))
    assert hedged.targets["SPXU"] == pytest.approx(0.1, abs=1e-15)
    assert hedged.leveraged_weight == pytest.approx(0.6, abs=1e-15)


def test_a_put_has_a_slot_and_no_weight() -> None:
    hedged = sleeve(("UPRO", 0.5), hedge=ProtectivePut("UPRO"))
    assert hedged.targets == {"UPRO": 0.5}
    assert hedged.slots == ("UPRO:put",)
    assert hedged.hedge == ProtectivePut("UPRO", moneyness=0.85, tenor_days=30.0, coverage=1.0)


def test_a_sleeve_never_changes() -> None:
    plain = sleeve(("UPRO", 0.5))
    with pytest.raises(FrozenInstanceError) as refused:
        plain.cap = 2.0  # type: ignore[misc]
    assert str(refused.value) == "cannot assign to field 'cap'"


# --- what stands at the border of what can be run ------------------------------------------------


def test_weights_may_meet_the_cap_up_to_the_rounding_of_their_sum() -> None:
    assert sleeve(("UPRO", 0.1), ("SSO", 0.2), cap=0.3).leveraged_weight > 0.3


@pytest.mark.parametrize(
    "put",
    [
        ProtectivePut("UPRO", moneyness=1.5),
        ProtectivePut("UPRO", moneyness=0.01),
        ProtectivePut("UPRO", tenor_days=1.0),
        ProtectivePut("UPRO", tenor_days=366.0),
        ProtectivePut("UPRO", coverage=1.0),
        ProtectivePut("UPRO", coverage=0.01),
    ],
)
def test_a_put_may_stand_at_the_ends_of_its_terms(put: ProtectivePut) -> None:
    assert sleeve(("UPRO", 0.5), hedge=put).hedge == put


# --- what is refused -----------------------------------------------------------------------------


def test_a_sleeve_of_nothing_is_refused() -> None:
    with pytest.raises(StudyError) as refused:
        sleeve()
    assert str(refused.value) == "sleeve: it holds nothing; name at least one fund"


@pytest.mark.parametrize("cap", [0.0, -0.5, math.inf, math.nan])
def test_a_cap_that_caps_nothing_is_refused(cap: float) -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(("UPRO", 0.5), cap=cap)
    assert (
        str(refused.value)
        == f"cap: {cap}; a fraction of equity above 0 and up to 10 is right (0.40 is forty percent)"
    )


@pytest.mark.parametrize("band", [-0.01, 1.0, math.nan])
def test_a_band_outside_of_equity_is_refused(band: float) -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(("UPRO", 0.5), band=band)
    assert str(refused.value) == f"band: {band}; a fraction of equity from 0 to below 1 is right"


@pytest.mark.parametrize("weight", [0.0, math.inf, -math.inf, math.nan])
def test_a_weight_of_nothing_or_of_no_number_is_refused(weight: float) -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(("SSO", 0.1), ("UPRO", weight))
    assert str(refused.value) == f"UPRO: weight is {weight}; a fraction other than 0 is right"


def test_a_fund_held_twice_is_refused() -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(("UPRO", 0.2), ("UPRO", 0.1))
    assert str(refused.value) == "sleeve: a fund is held twice; give it one weight"


def test_a_fund_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DataError) as refused:
        sleeve(("UPR0", 0.2))
    assert str(refused.value) == "UPR0: no fund of that name; did you mean UPRO?"


@pytest.mark.parametrize(
    ("holdings", "cap", "hedge", "gross", "limit"),
    [
        ((("UPRO", 0.75),), 0.5, None, "0.75", "0.5"),
        ((("UPRO", -0.75),), 0.5, None, "0.75", "0.5"),
        ((("UPRO", 0.3), ("SPXU", 0.3)), 0.5, None, "0.6", "0.5"),
        ((("UPRO", 0.5),), 0.6, InverseLayer("SPXU"), "0.625", "0.6"),
    ],
)
def test_weights_above_the_cap_are_refused(
    holdings: tuple[tuple[str, float], ...],
    cap: float,
    hedge: Hedge | None,
    gross: str,
    limit: str,
) -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(*holdings, cap=cap, hedge=hedge)
    assert str(refused.value) == (
        f"weight: {gross} of equity in leveraged funds is above the cap {limit}; "
        "lower the weight or raise the cap"
    )


@pytest.mark.parametrize(
    ("held", "put"),
    [(("UPRO", 0.5), "SSO"), (("UPRO", -0.5), "UPRO")],
)
def test_a_put_on_a_fund_that_is_not_held_long_is_refused(
    held: tuple[str, float], put: str
) -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(held, hedge=ProtectivePut(put))
    assert str(refused.value) == f"{put}: a protective put needs the fund held long in the sleeve"


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (
            ProtectivePut("UPRO", moneyness=0.0),
            "moneyness: 0.0; strike over spot from above 0 to 1.5 is right",
        ),
        (
            ProtectivePut("UPRO", moneyness=1.51),
            "moneyness: 1.51; strike over spot from above 0 to 1.5 is right",
        ),
        (
            ProtectivePut("UPRO", moneyness=math.nan),
            "moneyness: nan; strike over spot from above 0 to 1.5 is right",
        ),
        (
            ProtectivePut("UPRO", coverage=0.0),
            "coverage: 0.0; a fraction above 0 and up to 1 is right",
        ),
        (
            ProtectivePut("UPRO", coverage=1.01),
            "coverage: 1.01; a fraction above 0 and up to 1 is right",
        ),
        (
            ProtectivePut("UPRO", tenor_days=0.5),
            "tenor_days: 0.5; 1 to 366 calendar days are right",
        ),
        (
            ProtectivePut("UPRO", tenor_days=367.0),
            "tenor_days: 367.0; 1 to 366 calendar days are right",
        ),
    ],
)
def test_a_put_that_no_exchange_lists_or_that_covers_too_much_is_refused(
    put: ProtectivePut, message: str
) -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(("UPRO", 0.5), hedge=put)
    assert str(refused.value) == message


@pytest.mark.parametrize("ratio", [0.0, -0.25, 1.01, math.nan])
def test_an_inverse_layer_that_offsets_nothing_or_more_than_all_is_refused(ratio: float) -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(("UPRO", 0.5), hedge=InverseLayer("SPXU", ratio))
    assert str(refused.value) == f"ratio: {ratio}; a fraction above 0 and up to 1 is right"


def test_a_fund_that_is_held_and_hedges_is_refused() -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(("UPRO", 0.5), ("SPXU", 0.1), hedge=InverseLayer("SPXU"))
    assert str(refused.value) == "SPXU: it is held and hedges at once; one is right"


def test_an_inverse_layer_on_holdings_that_offset_each_other_is_refused() -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(("UPRO", 0.25), ("SPXU", 0.25), hedge=InverseLayer("SH"))
    assert str(refused.value) == (
        "SH: an inverse layer needs exposure to offset, but the holdings have 0; no hedge is right"
    )


@pytest.mark.parametrize(
    ("held", "hedge"), [(("UPRO", 0.5), "SSO"), (("UPRO", -0.5), "SPXU"), (("SPXU", 0.5), "SH")]
)
def test_an_inverse_layer_that_moves_with_the_sleeve_is_refused(
    held: tuple[str, float], hedge: str
) -> None:
    with pytest.raises(StudyError) as refused:
        sleeve(held, hedge=InverseLayer(hedge))
    assert str(refused.value) == (
        f"{hedge}: an inverse layer moves against the sleeve, but both move the same way; "
        "a fund of the opposite multiple is right"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"holdings": [Holding("UPRO", 0.5)]},
            "holdings: a list; a tuple such as (Holding(...),) is right",
        ),
        (
            {"holdings": Holding("UPRO", 0.5)},
            "holdings: a Holding; a tuple such as (Holding(...),) is right",
        ),
        ({"hedge": "puts"}, "hedge: 'puts'; a ProtectivePut, an InverseLayer or None is right"),
        (
            {"rebalance": "monthy"},
            "rebalance: 'monthy'; one of daily, weekly, monthly, quarterly, once, band, reset "
            "is right",
        ),
        (
            {"holdings": (Holding("UPRO", 40.0),), "cap": 50.0},
            "cap: 50.0; a fraction of equity above 0 and up to 10 is right (0.40 is forty percent)",
        ),
    ],
)
def test_what_a_strategy_file_may_get_wrong_is_refused_before_any_number_is(
    changes: dict[str, Any], message: str
) -> None:
    facts: dict[str, Any] = {"holdings": (Holding("UPRO", 0.5),), "cap": 1.0}
    with pytest.raises(StudyError) as refused:
        Sleeve(**(facts | changes))
    assert str(refused.value) == message


# --- the vocabulary of sizing ---------------------------------------------------------------------

HALF = (Holding("UPRO", 0.5),)
TWO = (Holding("UPRO", 0.3), Holding("SPXU", 0.2))
INDEX_CORE = (Holding("SP500", 0.4),)


def test_a_core_is_held_beside_the_sleeve() -> None:
    beside = Sleeve(HALF, cap=0.5, core=INDEX_CORE)
    assert beside.targets == {"UPRO": 0.5, "SP500": 0.4}
    assert beside.core_funds == {"SP500"}


def test_a_leveraged_core_counts_under_the_cap() -> None:
    assert Sleeve(HALF, cap=0.8, core=(Holding("SSO", 0.3),)).leveraged_weight == 0.8


def test_a_function_becomes_a_rule_of_ones_own() -> None:
    def mine(history: object) -> float:
        return 1.0

    rule = Sleeve(HALF, cap=0.5, sizing=mine).rule
    assert isinstance(rule, OwnRule)
    assert rule.function is mine
    assert Sleeve(HALF, cap=0.5, sizing=rule).rule is rule
    assert Sleeve(HALF, cap=0.5, sizing=Kelly()).rule == Kelly()
    assert Sleeve(HALF, cap=0.5).rule is None


@pytest.mark.parametrize(
    ("rebalance", "offset"), [("weekly", 4), ("monthly", 22), ("quarterly", 63), ("daily", 0)]
)
def test_an_offset_may_reach_the_last_session_that_a_period_can_have(
    rebalance: Cadence, offset: int
) -> None:
    kept = Sleeve(HALF, cap=0.5, rebalance=rebalance, rebalance_offset=offset)
    assert kept.rebalance_offset == offset


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"core": [Holding("SP500", 0.4)]},
            "core: a list; a tuple such as (Holding(...),) is right",
        ),
        ({"sizing": "kelly"}, "sizing: 'kelly'; SizingRule or OwnRule is right"),
        (
            {"sizing": lambda: 1.0},
            "sizing: <lambda> takes 0 arguments; scale(history) or scale(history, account) "
            "is right",
        ),
        ({"allocation": "best"}, "allocation: 'best'; Rotation or InverseVolatility is right"),
        ({"caps": None}, "caps: None; Caps is right"),
        ({"reserve": 0.2}, "reserve: 0.2; Reserve is right"),
        ({"stop_flight": True}, "stop_flight: True; StopFlight is right"),
        ({"exits": 5}, "exits: 5; Exits is right"),
        ({"rebalance": "band"}, 'band: 0; rebalance = "band" needs a fraction above 0'),
        (
            {"rebalance_offset": 1, "rebalance": "daily"},
            'rebalance_offset: 1 with rebalance = "daily"; 0 is right',
        ),
        (
            {"rebalance_offset": 5, "rebalance": "weekly"},
            'rebalance_offset: 5 with rebalance = "weekly"; 0 to 4 sessions into the period '
            "is right",
        ),
        (
            {"rebalance_offset": -1},
            'rebalance_offset: -1 with rebalance = "monthly"; 0 to 22 sessions into the period '
            "is right",
        ),
        (
            {"rebalance_offset": 1.5},
            'rebalance_offset: 1.5 with rebalance = "monthly"; 0 to 22 sessions into the period '
            "is right",
        ),
        (
            {"core": (Holding("SP500", math.nan),)},
            "SP500: weight is nan; a fraction other than 0 is right",
        ),
        (
            {"core": (Holding("SP500", 0.1), Holding("SP500", 0.2))},
            "core: a fund is held twice; give it one weight",
        ),
        (
            {"core": (Holding("UPRO", 0.1),)},
            "UPRO: it is in the core and in the sleeve; one is right",
        ),
        (
            {"core": (Holding("SPXU", 0.1),), "hedge": InverseLayer("SPXU")},
            "SPXU: it is in the core and in the sleeve; one is right",
        ),
        ({"allocation": Rotation()}, "allocation: the sleeve holds 1 fund; two or more are right"),
        (
            {"holdings": TWO, "allocation": InverseVolatility(), "hedge": ProtectivePut("UPRO")},
            "allocation: with a hedge; a hedge on holdings that stand is right",
        ),
        (
            {"holdings": TWO, "allocation": Rotation(hold=2)},
            "allocation.hold: 2 of 2 funds; fewer than there are is right",
        ),
        (
            {"holdings": (Holding("UPRO", 0.3), Holding("SPXU", -0.2)), "allocation": Rotation()},
            "SPXU: weight is -0.2 in a rotation, which holds long; a weight above 0 is right",
        ),
        (
            {"core": (Holding("SSO", 0.6),)},
            "weight: 1.1 of equity in leveraged funds is above the cap 1; "
            "lower the weight or raise the cap",
        ),
        (
            {"caps": Caps(single_fund=0.4)},
            "UPRO: weight 0.5 is above caps.single_fund 0.4; lower the weight or raise the cap",
        ),
        (
            {"caps": Caps(delta=1.6), "core": INDEX_CORE},
            "caps.delta: the weights have 1.9 turns of index exposure, above the cap 1.6; "
            "lower the weights or raise the cap",
        ),
        (
            {"caps": Caps(delta=1.4), "holdings": (Holding("UPRO", -0.5),)},
            "caps.delta: the weights have -1.5 turns of index exposure, above the cap 1.4; "
            "lower the weights or raise the cap",
        ),
        (
            {"caps": Caps(risk_share=0.5)},
            "caps.risk_share: every fund is leveraged, so that all risk is theirs; "
            "a core beside the sleeve is right",
        ),
    ],
)
def test_a_vocabulary_that_cannot_be_run_is_refused(changes: dict[str, Any], message: str) -> None:
    facts: dict[str, Any] = {"holdings": HALF, "cap": 1.0}
    with pytest.raises(StudyError) as refused:
        Sleeve(**(facts | changes))
    assert str(refused.value) == message
