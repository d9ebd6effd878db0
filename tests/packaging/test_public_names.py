"""The public surface is written down once more here, so that it changes only on purpose."""

import ast
from pathlib import Path
from types import ModuleType

import levsleeve
from levsleeve import errors

PUBLIC_NAMES = [
    "AccountError",
    "Caps",
    "Cppi",
    "DataError",
    "Exits",
    "FixedFraction",
    "Fund",
    "FundCommInfo",
    "FundData",
    "GrossmanZhou",
    "Holding",
    "InverseLayer",
    "InverseVolatility",
    "Kelly",
    "LedgerError",
    "LevsleeveError",
    "MarginBroker",
    "MarginStatus",
    "MarginUtilization",
    "Momentum",
    "MostCautious",
    "OptionCommInfo",
    "OptionContract",
    "ParityError",
    "Product",
    "ProtectivePut",
    "Reserve",
    "Rotation",
    "ScheduleError",
    "Sleeve",
    "SleeveResult",
    "SleeveStrategy",
    "StopFlight",
    "StudyError",
    "StudyResult",
    "Tipp",
    "Trend",
    "VolatilityFilter",
    "VolatilityLadder",
    "VolatilityManaged",
    "VolatilityTarget",
    "margin_status",
    "parse_fund",
    "run",
    "run_many",
    "slot_feed",
]
TOOLS = {"Any", "TYPE_CHECKING", "import_module"}
"""What the package itself imports to load its names late."""


def names_for_type_checkers() -> list[str]:
    """Names that the package imports under TYPE_CHECKING, where mypy and editors find them."""
    tree = ast.parse(Path(levsleeve.__file__).read_text(encoding="utf-8"))
    (guarded,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in guarded.body if isinstance(node, ast.ImportFrom)]
    return [name.asname or name.name for node in imports for name in node.names]


def test_the_public_names_are_these() -> None:
    assert levsleeve.__all__ == PUBLIC_NAMES


def test_the_public_names_are_sorted_and_each_can_be_imported() -> None:
    assert sorted(PUBLIC_NAMES) == PUBLIC_NAMES
    assert [name for name in PUBLIC_NAMES if not hasattr(levsleeve, name)] == []


def test_type_checkers_see_the_names_that_load_late() -> None:
    assert sorted(names_for_type_checkers()) == PUBLIC_NAMES


def test_every_error_is_public() -> None:
    raised = {name for name, thing in vars(errors).items() if isinstance(thing, type)}
    assert raised <= set(PUBLIC_NAMES)


def test_nothing_else_is_public() -> None:
    for name in PUBLIC_NAMES:
        getattr(levsleeve, name)
    visible = {
        name
        for name, thing in vars(levsleeve).items()
        if not name.startswith("_") and not isinstance(thing, ModuleType)
    }
    assert visible - TOOLS <= set(PUBLIC_NAMES)
