import pytest

from levsleeve.errors import DataError
from levsleeve.instruments.catalogue import BenchmarkClass
from levsleeve.instruments.fund import Fund, parse_fund

IN_A_STUDY = "a study can hold SP500, UPRO, SPXU, SSO, SDS, SH, SPY, IVV, VOO, BILLS"


def test_a_ticker_of_the_catalogue_is_that_fund() -> None:
    assert parse_fund("UPRO") == Fund(
        symbol="UPRO",
        index="SP500",
        multiple=3.0,
        expense_ratio=0.0092,
        financing_spread=0.0065,
        drag=0.0,
        benchmark_class="high_cap_broad_based",
        name="3x S&P 500 bull (UPRO)",
        is_index=False,
    )


def test_the_index_is_a_plain_fund_without_costs() -> None:
    index = parse_fund("SP500")
    assert index == Fund(
        symbol="SP500",
        index="SP500",
        multiple=1.0,
        benchmark_class="high_cap_broad_based",
        name="S&P 500",
        is_index=True,
    )
    assert index.running_cost_rate == 0.0
    assert not index.is_leveraged


def test_a_synthetic_fund_states_its_costs_in_percent_a_year() -> None:
    assert parse_fund("SP500?L=-3&E=0.92&SP=0.75&D=0.25") == Fund(
        symbol="SP500?L=-3&E=0.92&SP=0.75&D=0.25",
        index="SP500",
        multiple=-3.0,
        expense_ratio=0.0092,
        financing_spread=0.0075,
        drag=0.0025,
        benchmark_class="high_cap_broad_based",
        name="synthetic -3x SP500",
        is_index=False,
    )


def test_a_synthetic_fund_costs_nothing_unless_it_says_so() -> None:
    fund = parse_fund("SP500?L=2")
    assert (fund.expense_ratio, fund.financing_spread, fund.drag) == (0.0, 0.0, 0.0)
    assert fund.name == "synthetic +2x SP500"


def test_the_order_of_the_parameters_and_a_plus_sign_do_not_matter() -> None:
    fund = parse_fund("SP500?E=0.5&L=+1.5")
    assert (fund.multiple, fund.expense_ratio) == (1.5, 0.005)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("upro", "upro: no fund of that name; did you mean UPRO?"),
        ("SP50", "SP50: no fund of that name; did you mean SP500?"),
        ("UPROO", "UPROO: no fund of that name; did you mean UPRO?"),
        ("spy", "spy: no fund of that name; did you mean SPY?"),
        ("TQQ", "TQQ: no fund of that name; did you mean TQQQ?"),
        ("AAPL", f"AAPL: no fund of that name; {IN_A_STUDY}"),
        ("", f"an empty name: no fund of that name; {IN_A_STUDY}"),
        ("TQQQ", f"TQQQ: its index (Nasdaq-100) is not bundled; {IN_A_STUDY}"),
        (
            "SVXY",
            f"SVXY: its index (S&P 500 VIX short-term futures) is not bundled; {IN_A_STUDY}",
        ),
        ("NDX", f"NDX: this index (Nasdaq-100) is not bundled; {IN_A_STUDY}"),
        (
            "SPXS",
            "SPXS: its financing spread was never measured; "
            "state one as in SP500?L=-3&E=1.02&SP=0.5",
        ),
        (
            "NDX?L=3",
            "NDX?L=3: NDX is not a bundled index; a synthetic fund stands on SP500",
        ),
        (
            "UPRO?L=2",
            "UPRO?L=2: UPRO is not a bundled index; a synthetic fund stands on SP500",
        ),
        ("?L=3", "?L=3: nothing is not a bundled index; a synthetic fund stands on SP500"),
        ("SP500?", "SP500?: the daily multiple is missing; write SP500?L=3"),
        ("SP500?E=1", "SP500?E=1: the daily multiple is missing; write SP500?L=3"),
        (
            "SP500?L=0",
            "SP500?L=0: the daily multiple is 0; a fund has a multiple such as 3 or -3",
        ),
        (
            "SP500?L=3&M=2",
            "SP500?L=3&M=2: M is not a parameter; known are L, E, SP and D",
        ),
        ("SP500?l=3", "SP500?l=3: l is not a parameter; known are L, E, SP and D"),
        ("SP500?L=3&L=3", "SP500?L=3&L=3: L is given twice; once is right"),
        ("SP500?L=three", "SP500?L=three: L is 'three'; a number is right"),
        ("SP500?L", "SP500?L: L is ''; a number is right"),
        ("SP500?L=3;E=1", "SP500?L=3;E=1: L is '3;E=1'; a number is right"),
        ("SP500?L=nan", "SP500?L=nan: L is nan; a finite number is right"),
        ("SP500?L=3&E=-inf", "SP500?L=3&E=-inf: E is -inf; a finite number is right"),
    ],
)
def test_a_name_that_is_no_fund_is_refused_with_what_would_be_one(text: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        parse_fund(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("multiple", "leverage", "borrowed_turns", "is_leveraged"),
    [
        (1.0, 1.0, 0.0, False),
        (2.0, 2.0, 1.0, True),
        (3.0, 3.0, 2.0, True),
        (-1.0, 1.0, 1.0, True),
        (-2.0, 2.0, 2.0, True),
        (-3.0, 3.0, 3.0, True),
    ],
)
def test_a_bull_finances_one_turn_less_than_its_multiple_and_a_bear_all_of_it(
    multiple: float, leverage: float, borrowed_turns: float, *, is_leveraged: bool
) -> None:
    fund = Fund("FUND", "SP500", multiple)
    assert fund.leverage == leverage
    assert fund.borrowed_turns == borrowed_turns
    assert fund.is_leveraged is is_leveraged


@pytest.mark.parametrize(
    ("benchmark_class", "is_broad_based"),
    [("high_cap_broad_based", True), ("broad_based", True), ("narrow", False)],
)
def test_options_tell_a_broad_based_fund_from_a_narrow_one(
    benchmark_class: BenchmarkClass, *, is_broad_based: bool
) -> None:
    fund = Fund("FUND", "INDEX", 3.0, benchmark_class=benchmark_class)
    assert fund.is_broad_based is is_broad_based


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("UPRO", 0.0092 + 2 * 0.0065),
        ("SSO", 0.0089 + 0.0065),
        ("SPY", 0.000945),
        ("SPXU", 0.0090 - 3 * 0.0010),
        ("SP500?L=3&E=1&SP=0.5&D=0.25", 0.0225),
    ],
)
def test_a_fund_runs_at_its_expense_its_drag_and_its_spread_on_every_borrowed_turn(
    text: str, rate: float
) -> None:
    assert parse_fund(text).running_cost_rate == pytest.approx(rate, abs=1e-15)
