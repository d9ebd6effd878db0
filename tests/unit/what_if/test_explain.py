from typing import Any

import pytest
from tests.unit.what_if.accounts import at_hand, fund, option, shares

from levsleeve.what_if.explain import PositionLine, position_lines

NOTICE = (
    "FINRA Regulatory Notice 09-53: base rates times the fund's multiple, at most 100 % of value "
    "(secondary)"
)
OPTIONS = (
    "FINRA Regulatory Notice 09-65: uncovered options on leveraged funds scale as the funds do "
    "(confirmed; whether the 10 % minimum and the collar's 25 % scale is open, see the switches)"
)
BEFORE = (
    "NYSE 431 and NASD 2520, now FINRA 4210(b)(4), (c); 12 CFR 220.12 "
    "(secondary; start of the table assumed)"
)
RELIEF: dict[str, Any] = {"policy": {"hedge_relief": "finra"}}


def lines(*holdings: dict[str, Any], **keys: Any) -> list[PositionLine]:
    return position_lines(at_hand(0.0, *holdings, **keys))


def one(*holdings: dict[str, Any], **keys: Any) -> PositionLine:
    (line,) = lines(*holdings, **keys)
    return line


# --- shares --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiple", "rule", "rate"),
    [
        (1.0, "25% x 1 = 25.0% of value", 0.25),
        (1.5, "25% x 1.5 = 37.5% of value", 0.375),
        (-3.0, "25% x 3 = 75.0% of value", 0.75),
        (4.0, "25% x 4 = 100.0% of value", 1.0),
        (5.0, "25% x 5 = 100.0% of value, capped", 1.0),
    ],
)
def test_a_long_is_told_its_base_rate_times_the_multiple(
    multiple: float, rule: str, rate: float
) -> None:
    line = one(shares(200), funds={"BULL": fund(100.0, multiple)})
    assert (line.position, line.fund, line.rule) == ("long 200 BULL", "BULL", rule)
    assert (line.market_value_usd, line.source) == (20_000.0, NOTICE)
    assert line.rate == rate
    assert line.requirement_usd == 20_000.0 * rate


@pytest.mark.parametrize(
    ("price", "multiple", "rule", "each"),
    [
        (26.0, 3.0, "30% x 3 = 90.0% of value", 23.4),
        (26.0, 4.0, "30% x 4 = 100.0% of value, capped", 26.0),
        (26.0, 1.0, "30% x 1 = 30.0% of value", 7.8),
        (10.0, 1.0, "floor of $5.00 a share", 5.0),
        (5.2, 3.0, "floor of $5.00 a share", 5.0),
        (4.0, 3.0, "100 % of value under $5.00", 4.0),
        (1.0, 3.0, "floor of $2.50 a share", 2.5),
    ],
)
def test_a_short_is_told_its_rate_or_its_floor(
    price: float, multiple: float, rule: str, each: float
) -> None:
    line = one(shares(-100), funds={"BULL": fund(price, multiple)})
    assert (line.position, line.rule, line.source) == ("short 100 BULL", rule, NOTICE)
    assert line.market_value_usd == -100.0 * price
    assert line.requirement_usd == pytest.approx(100.0 * each)
    assert line.rate == pytest.approx(each / price)


def test_a_floor_that_scales_is_told_in_dollars() -> None:
    policy = {"short_floor": "scaled"}
    line = one(shares(-100), funds={"BULL": fund(14.0, 3.0)}, policy=policy)
    assert line.rule == "floor of $14.00 a share"


def test_before_the_notice_the_older_rule_is_named() -> None:
    line = one(shares(100), date="2009-11-30")
    assert (line.rule, line.source) == ("25% x 1 = 25.0% of value", BEFORE)
    frozen = one(shares(100), date="2009-11-30", rules_as_of="2010-04-30")
    assert (frozen.rule, frozen.source) == ("25% x 3 = 75.0% of value", NOTICE)


def test_a_house_rate_is_told_beside_the_rule_it_raises() -> None:
    line = one(shares(100), profile="td_2010")
    assert line.rule == "house rate: 90.00% of value (rule: 75.00%)"
    assert line.source == "TD Ameritrade: its 30 % base times the multiple (secondary)"
    own = one(shares(100), policy={"house": {"kind": "rate", "long_rate": 0.85}})
    assert own.source == "the account's policy"


def test_only_house_rates_of_the_day_are_named() -> None:
    house = {"kind": "rate", "long_rate": 0.9}
    after = one(shares(100), date="2026-05-01", profile="ibkr", policy={"house": house})
    assert after.source == "the account's policy"
    during = one(shares(100), date="2020-11-02", profile="ibkr", funds={"BULL": fund(100.0, 2.0)})
    assert during.rule == "house rate: 67.50% of value (rule: 50.00%)"
    assert during.source == (
        "IBKR notice of September 2020: requirements rise by 35 % before the election "
        "(confirmed; equal steps a weekday and the end are assumed)"
    )


def test_a_house_rate_below_the_rule_is_not_told() -> None:
    assert one(shares(-100), profile="td_2010").rule == "30% x 3 = 90.0% of value"


def test_a_flat_rate_replaces_the_rulebook() -> None:
    line = one(shares(100), policy={"flat_rate": 0.25})
    assert line.rule == "flat rate of 25.0% in place of the rulebook"
    assert line.source == "the account's policy"


def test_a_cash_account_is_told_as_paid_in_full() -> None:
    line = one(shares(100), policy={"margin_mode": "cash"})
    assert (line.rule, line.source) == ("cash account: paid in full", "the account's policy")


def test_portfolio_margin_is_told_as_coarse() -> None:
    line = one(shares(100), policy={"margin_mode": "portfolio"})
    assert line.rule == "coarse portfolio margin: worst index move x 3 = 30.00% of value"
    assert line.source.startswith("FINRA 4210(g); IBKR: the range of a leveraged fund")


def test_boxed_shares_stand_on_a_line_of_their_own() -> None:
    net, box = lines(shares(100), shares(-60), funds={"BULL": fund(50.0, 1.0)})
    assert (net.position, net.requirement_usd) == ("long 40 BULL", 500.0)
    assert (box.position, box.fund, box.market_value_usd, box.rate) == (
        "boxed 60 BULL", "BULL", 0.0, None,
    )  # fmt: skip
    assert box.requirement_usd == pytest.approx(150.0)
    assert box.rule == "long and short at once: 5% of the long value"
    assert box.source == "FINRA 4210(e)(1) (unconfirmed)"


@pytest.mark.parametrize(
    ("count", "written"),
    [(1_234_567.0, "1234567"), (0.5, "0.5"), (100.25, "100.25"), (1e12, "1000000000000")],
)
def test_counts_are_told_in_digits(count: float, written: str) -> None:
    assert one(shares(count)).position == f"long {written} BULL"


# --- options -------------------------------------------------------------------------------------


def test_a_long_option_is_paid_in_full() -> None:
    line = one(option("put", 10, 72.5, 2.5))
    assert line.position == "long 10 BULL 2019-07-19 72.5 put"
    assert (line.market_value_usd, line.requirement_usd, line.rate) == (2_500.0, 0.0, 0.0)
    assert line.rule == "paid in full, lends nothing"
    assert line.source == "FINRA 4210(f)(2)(D) (secondary)"


def test_only_the_option_that_lends_is_told_to_lend() -> None:
    soon, late = lines(
        option("put", 1, 90.0, 2.0),
        option("put", 1, 90.0, 9.0, expiry="2020-12-18"),
        policy={"option_loan_value": "finra"},
    )
    assert soon.rule == "paid in full, lends nothing"
    assert late.rule == "paid in full; lends part of its price beyond nine months"


def test_a_worthless_option_has_no_rate() -> None:
    assert one(option("put", 10, 72.0, 0.0)).rate is None


def test_an_uncovered_option_is_told_its_dollars() -> None:
    # 4 + 45 % of 100 less 10, on a broad-based 3x.
    line = one(option("call", -2, 110.0, 4.0))
    assert line.position == "short 2 BULL 2019-07-19 110 call"
    assert line.market_value_usd == -800.0
    assert line.requirement_usd == pytest.approx(7_800.0)
    assert line.rule == "uncovered: its mark and the rate less out-of-the-money, $39.00 a share"
    assert line.source == OPTIONS


def test_a_hedge_is_borne_by_the_shares_and_told_on_both() -> None:
    held, put = lines(shares(1000), option("put", 6, 90.0, 1.0), **RELIEF)
    hedged = "hedged by the 90 put: a tenth of its strike + out-of-the-money amount, $19.00 a share"
    assert held.rule == f"600: {hedged}; 400: 25% x 3 = 75.0% of value"
    assert held.source == f"FINRA 4210(f)(2)(H)(v)a (secondary); {NOTICE}"
    assert held.requirement_usd == pytest.approx(600 * 19.0 + 400 * 75.0)
    assert [part.units for part in held.parts] == [600.0, 400.0]
    assert [part.requirement_usd for part in held.parts] == pytest.approx([11_400.0, 30_000.0])
    assert (put.rule, put.requirement_usd) == (hedged, 0.0)


@pytest.mark.parametrize(
    ("holdings", "keys", "rule", "source", "required"),
    [
        pytest.param(
            (shares(100), option("call", -1, 90.0, 12.0)), {},
            "with the written 90 call covered: the shares, and what it is in the money, "
            "$85.00 a share",
            "12 CFR 220.4(b)(4) (confirmed)", 8_500.0, id="covered call",
        ),
        pytest.param(
            (shares(-100), option("put", -1, 110.0, 12.0)), {},
            "with the written 110 put covered: the shares, and what it is in the money, "
            "$100.00 a share",
            "12 CFR 220.4(b)(4) (confirmed)", 10_000.0, id="covered put",
        ),
        pytest.param(
            (shares(100), option("put", 1, 90.0, 2.0), option("call", -1, 110.0, 2.0)), RELIEF,
            "between 90 put and written 110 call: collar or conversion, $19.00 a share",
            "FINRA 4210(f)(2)(H)(v)b-d (unconfirmed)", 1_900.0, id="collar",
        ),
        pytest.param(
            (shares(100), option("put", 1, 95.0, 2.0), option("call", -1, 95.0, 7.0)), RELIEF,
            "between 95 put and written 95 call: collar or conversion, $14.50 a share",
            "FINRA 4210(f)(2)(H)(v)b-d (unconfirmed)", 1_450.0, id="conversion",
        ),
        pytest.param(
            (shares(-100), option("call", 1, 105.0, 2.0), option("put", -1, 105.0, 7.0)), RELIEF,
            "between 105 call and written 105 put: reverse conversion, $15.50 a share",
            "FINRA 4210(f)(2)(H)(v)c (unconfirmed)", 1_550.0, id="reverse conversion",
        ),
        pytest.param(
            (option("put", 1, 85.0, 1.0), option("put", -1, 95.0, 3.0)), {},
            "spread, written 95 put against 85 put: at most its width, $10.00 a share",
            "FINRA 4210(f)(2)(H)(i) (secondary)", 1_000.0, id="spread",
        ),
        pytest.param(
            (option("call", -1, 105.0, 2.0), option("put", -1, 90.0, 1.0)), {},
            "written 105 call and 90 put: the dearer side and the other's mark, $43.00 a share",
            "Cboe strategy-based margin (secondary)", 4_300.0, id="strangle",
        ),
    ],
)  # fmt: skip
def test_a_combination_is_told_on_each_of_its_positions(
    holdings: tuple[dict[str, Any], ...],
    keys: dict[str, Any],
    rule: str,
    source: str,
    required: float,
) -> None:
    told = lines(*holdings, **keys)
    assert {(line.rule, line.source) for line in told} == {(rule, source)}
    assert sum(line.requirement_usd for line in told) == pytest.approx(required)


def test_of_a_strangle_the_dearer_side_bears_its_margin_and_the_other_its_mark() -> None:
    dear_call = lines(option("call", -1, 105.0, 2.0), option("put", -1, 80.0, 1.0))
    assert [line.requirement_usd for line in dear_call] == pytest.approx([4_200.0, 100.0])
    dear_put = lines(option("call", -1, 130.0, 2.0), option("put", -1, 95.0, 1.0))
    assert [line.requirement_usd for line in dear_put] == pytest.approx([200.0, 4_100.0])


def test_without_relief_a_put_hedges_nothing() -> None:
    held, put = lines(shares(1000), option("put", 10, 90.0, 1.0))
    assert held.rule == "25% x 3 = 75.0% of value"
    assert put.rule == "paid in full, lends nothing"


def test_positions_are_told_fund_by_fund_shares_first() -> None:
    told = lines(
        option("call", -1, 120.0, 1.0),
        shares(50, "OTHER"),
        shares(100),
        funds={"BULL": fund(100.0), "OTHER": fund(10.0)},
    )
    assert [line.position for line in told] == [
        "long 100 BULL",
        "short 1 BULL 2019-07-19 120 call",
        "long 50 OTHER",
    ]


def test_a_fund_without_a_position_has_no_line() -> None:
    assert lines() == []
