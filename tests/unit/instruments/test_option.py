from dataclasses import FrozenInstanceError
from datetime import date
from typing import Literal

import pytest

from levsleeve.instruments.option import OptionContract


@pytest.mark.parametrize(
    ("right", "strike", "written"),
    [
        ("put", 85.0, "UPRO 2008-10-17 85 put"),
        ("call", 17.5, "UPRO 2008-10-17 17.5 call"),
        ("put", 1005.0, "UPRO 2008-10-17 1005 put"),
    ],
)
def test_a_contract_is_written_as_a_trader_writes_it(
    right: Literal["put", "call"], strike: float, written: str
) -> None:
    assert str(OptionContract("UPRO", right, strike, date(2008, 10, 17))) == written


def test_a_contract_never_changes_and_is_known_by_its_terms() -> None:
    contract = OptionContract("UPRO", "put", 85.0, date(2008, 10, 17))
    assert contract == OptionContract("UPRO", "put", 85.0, date(2008, 10, 17))
    assert len({contract, OptionContract("UPRO", "put", 84.0, date(2008, 10, 17))}) == 2
    with pytest.raises(FrozenInstanceError) as refused:
        contract.strike = 84.0  # type: ignore[misc]
    assert str(refused.value) == "cannot assign to field 'strike'"
