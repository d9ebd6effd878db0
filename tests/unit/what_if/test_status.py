import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.what_if.accounts import account, fund, option, shares

from levsleeve.errors import AccountError
from levsleeve.margin.schedule import PORTFOLIO_NOTE
from levsleeve.what_if.status import (
    EXPIRY_NOTE,
    MODELLED,
    MarginStatus,
    margin_status,
)

HOUSE = """
source = "mine"
standing = "assumed"

[[house]]
kind = "rate"
long_rate = 0.9
"""


def status(cash: float, *holdings: dict[str, Any], **keys: Any) -> MarginStatus:
    return margin_status(account(cash, *holdings, **keys))


def test_the_account_now_is_the_headline() -> None:
    found = status(-20_000.0, shares(1000))
    assert found.figures is found.now.figures
    assert found.figures.excess_liquidity_usd == 5_000.0
    assert not found.now.called
    assert found.after_expiry is None


def test_house_rates_are_shown_beside_it_unless_a_flat_rate_replaces_the_rules() -> None:
    found = status(-20_000.0, shares(1000))
    maintenance = {
        rate: outlook.figures.maintenance_margin_usd for rate, outlook in found.under_house.items()
    }
    assert maintenance == {0.6: 75_000.0, 0.8: 80_000.0, 1.0: 100_000.0}
    assert [o.called for o in found.under_house.values()] == [False, False, True]
    assert found.under_house[1.0].cure["BULL"].shares_to_trade == 200.0
    assert status(0.0, shares(10), policy={"flat_rate": 0.5}).under_house == {}


def test_the_cliff_of_an_expiry_is_shown_before_it() -> None:
    found = status(
        -60_000.0, shares(1000), option("put", 10, 90.0, 1.0), policy={"hedge_relief": "finra"}
    )
    assert found.after_expiry is not None
    assert found.figures.excess_liquidity_usd == 21_000.0
    assert found.after_expiry.figures.excess_liquidity_usd == -35_000.0
    assert (found.now.called, found.after_expiry.called) == (False, True)
    assert found.after_expiry.cure["BULL"].shares_to_trade == 467.0


def test_every_fund_that_bears_on_the_account_has_a_call_price() -> None:
    funds = {
        "HELD": fund(100.0), "WRITTEN": fund(50.0), "BOXED": fund(20.0), "PRICED": fund(10.0),
    }  # fmt: skip
    found = status(
        1e4,
        shares(10, "HELD"),
        option("call", -1, 55.0, 1.0, symbol="WRITTEN"),
        shares(5, "BOXED"),
        shares(-5, "BOXED"),
        funds=funds,
    )
    assert list(found.prices) == ["HELD", "WRITTEN", "BOXED"]
    assert list(found.now.cure) == ["HELD"]


def test_notes_say_what_a_reader_must_know() -> None:
    assert status(0.0, shares(10)).notes == ()
    noted = status(
        0.0,
        shares(10, "ACME"),
        option("put", 1, 5.0, symbol="ACME"),
        funds={"ACME": {"price_usd": 5.0, "multiple": 1}},
        policy={"margin_mode": "portfolio"},
    )
    assert noted.notes == (
        "ACME: benchmark not given: taken as narrow, the dearer",
        MODELLED,
        EXPIRY_NOTE,
        PORTFOLIO_NOTE,
    )


def test_portfolio_margin_takes_the_worst_move_of_each_position() -> None:
    funds = {"BULL": {"price_usd": 100.0, "multiple": 3, "benchmark": "high_cap_broad_based"}}
    found = status(0.0, shares(10), funds=funds, policy={"margin_mode": "portfolio"})
    assert found.figures.maintenance_margin_usd == pytest.approx(240.0)  # 3 x 8 % of 1,000


def test_a_profile_beside_the_file_is_found_from_there(tmp_path: Path) -> None:
    folder = tmp_path / "accounts"
    folder.mkdir()
    (folder / "house.toml").write_text(HOUSE, encoding="utf-8")
    path = folder / "mine.json"
    written = account(0.0, shares(10), profile="house.toml")
    path.write_text(json.dumps(written), encoding="utf-8")
    found = margin_status(path)
    assert found.figures.maintenance_margin_usd == 900.0
    assert found.positions[0].rule == "house rate: 90.00% of value (rule: 75.00%)"


def test_a_profile_in_a_mapping_is_found_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "house.toml").write_text(HOUSE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = status(0.0, shares(10), profile="house.toml")
    assert found.figures.maintenance_margin_usd == 900.0


def test_an_absolute_profile_is_found_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text(HOUSE, encoding="utf-8")
    found = status(0.0, shares(10), profile=str(tmp_path / "house.toml"))
    assert found.figures.maintenance_margin_usd == 900.0


def test_a_profile_that_is_not_there_is_named_with_the_account(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(account(0.0, profile="house.toml")), encoding="utf-8")
    with pytest.raises(AccountError) as refused:
        margin_status(path)
    assert str(refused.value) == (
        f"{path}: {tmp_path / 'house.toml'}: no such file; a broker profile is a TOML file"
    )
