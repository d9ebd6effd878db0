"""What a study file may say of a sleeve in place of its strategy: sizing, policy, actions."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from levsleeve.errors import StudyError
from levsleeve.strategies.allocation import Allocation
from levsleeve.strategies.cadence import Cadence
from levsleeve.strategies.exits import Exits
from levsleeve.strategies.limits import Caps, Reserve
from levsleeve.strategies.own_rule import OwnRule
from levsleeve.strategies.positions import Holding
from levsleeve.strategies.sizing_rules import AnySizing
from levsleeve.strategies.stop_flight import StopFlight
from levsleeve.strict_table import StrictTable, user_text


class HoldingTable(StrictTable):
    """A fund at a signed weight, a fraction of equity."""

    fund: str
    weight: float


class OwnFile(StrictTable):
    """A sizing rule of one's own: a function in a Python file beside the study."""

    rule: Literal["file"] = "file"
    file: str
    function: str = "scale"


class RulesTable(StrictTable):
    """Keys of a sleeve that take the place of what its strategy describes (see ``Sleeve``)."""

    cap: float | None = None
    rebalance: Cadence | None = None
    rebalance_offset: int | None = None
    band: float | None = None
    sizing: Annotated[AnySizing | OwnFile, Field(discriminator="rule")] | None = None
    allocation: Allocation | None = None
    core: list[HoldingTable] | None = None
    caps: Caps | None = None
    reserve: Reserve | None = None
    stop_flight: StopFlight | None = None
    exits: Exits | None = None

    def rules(self, study_path: Path) -> dict[str, object]:
        """Those that are given, as a Sleeve takes them.

        Raises
        ------
        StudyError
            If a file of one's own cannot be used.
        """
        given: dict[str, Any] = {
            name: getattr(self, name)
            for name in RulesTable.model_fields
            if getattr(self, name) is not None
        }
        if self.core is not None:
            given["core"] = tuple(Holding(held.fund, held.weight) for held in self.core)
        if isinstance(self.sizing, OwnFile):
            path = study_path.resolve().parent / self.sizing.file
            function = load_function(path, self.sizing.function)
            given["sizing"] = OwnRule(function, source=path.read_text(encoding="utf-8"))
        return given


def load_function(path: Path, name: str) -> Callable[..., float]:
    """A function of a Python file.

    Raises
    ------
    StudyError
        If the file cannot be executed, or has no such function.
    """
    user_text(path, "a sizing rule is a Python file", StudyError)
    spec = importlib.util.spec_from_file_location(f"levsleeve_rule_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise StudyError(f"{path.name}: not a Python file; a file ending in .py is right")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise StudyError(
            f"{path.name}: it fails when loaded with {type(error).__name__}: {error}; "
            "a file that imports cleanly is right"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise StudyError(f"{path.name}: it has no function {name}; def {name}(history) is right")
    rule: Callable[..., float] = function
    return rule
