from pathlib import Path

import pytest

from levsleeve.data.bundled import ensure_bundled
from levsleeve.data.library import Library
from levsleeve.data.store import Store
from levsleeve.errors import DataError


def test_a_library_opens_on_an_empty_folder(tmp_path: Path) -> None:
    library = Library.open(tmp_path / "cache")
    assert library.prices("SP500").kind == "index"
    assert library.prices("UPRO").kind == "as_traded"
    assert library.bill().name == "BILL"


def test_everything_is_read_once(library: Library) -> None:
    for symbol in ("SP500", "UPRO", "SP500?L=-3"):
        assert library.prices(symbol) is library.prices(symbol)
    assert library.index("SP500") is library.prices("SP500")
    assert library.bill() is library.bill()
    assert library.volatility("SP500") is library.volatility("SP500")


def test_a_library_remembers_the_hash_of_what_it_read_and_of_nothing_else(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    ensure_bundled(store)
    library = Library(store)
    assert library.hashes() == {}
    library.prices("SP500")
    assert library.hashes() == {"SP500": store.row_hash("SP500")}
    library.prices("UPRO")
    library.volatility("SP500")
    names = ("BILL", "SP500", "VIX")
    assert library.hashes() == {name: store.row_hash(name) for name in names}


def test_an_unknown_name_is_met_with_the_nearest(library: Library) -> None:
    with pytest.raises(DataError) as caught:
        library.prices("UPR0")
    assert str(caught.value) == "UPR0: no fund of that name; did you mean UPRO?"


@pytest.mark.parametrize("ask", ["index", "volatility"])
def test_a_fund_is_not_an_index(library: Library, ask: str) -> None:
    with pytest.raises(DataError) as caught:
        getattr(library, ask)("UPRO")
    assert str(caught.value) == "UPRO: a fund, not an index; its index is SP500"


def test_a_library_on_an_empty_store_imports_nothing_by_itself(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Library(Store(tmp_path)).prices("SP500")
    assert (
        str(caught.value)
        == f"SP500: not in {tmp_path}, which holds nothing; it must be imported first"
    )
