"""The public surface is written down once more here, so that it changes only on purpose."""

from types import ModuleType

import levsleeve

PUBLIC_NAMES: list[str] = []


def test_the_public_names_are_these() -> None:
    assert vars(levsleeve).get("__all__", []) == PUBLIC_NAMES


def test_the_public_names_are_sorted_and_each_can_be_imported() -> None:
    assert sorted(PUBLIC_NAMES) == PUBLIC_NAMES
    assert [name for name in PUBLIC_NAMES if not hasattr(levsleeve, name)] == []


def test_nothing_else_is_public() -> None:
    for name in PUBLIC_NAMES:
        getattr(levsleeve, name)
    visible = {
        name
        for name, thing in vars(levsleeve).items()
        if not name.startswith("_") and not isinstance(thing, ModuleType)
    }
    assert visible <= set(PUBLIC_NAMES)
