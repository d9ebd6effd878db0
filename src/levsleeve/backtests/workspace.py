"""Where a study finds its strategies and its prices, and where its results go."""

import importlib.util
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import backtrader as bt

from levsleeve.errors import StudyError


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that holds ``strategies/``, ``data/`` and ``backtests/``."""

    root: Path

    @classmethod
    def around(cls, study: Path) -> "Workspace":
        """The nearest folder above a study that has ``strategies/``; else the study's own."""
        folder = study.resolve().parent
        for candidate in (folder, *folder.parents):
            if (candidate / "strategies").is_dir():
                return cls(candidate)
        return cls(folder)

    @property
    def cache(self) -> Path:
        """The Parquet cache."""
        return self.root / "data" / "cache"

    @property
    def out(self) -> Path:
        """Where runs are written, one folder a study."""
        return self.root / "backtests" / "out"

    def strategy_file(self, name: str, study: Path) -> Path:
        """The file of a strategy given by name, or by a path relative to the study.

        Raises
        ------
        StudyError
            If there is no such file.
        """
        if name.endswith(".py"):
            path = study.resolve().parent / name
            if not path.is_file():
                raise StudyError(
                    f"strategy: {name} is not a file beside the study ({path}); a name without .py "
                    "is sought in strategies/"
                )
            return path
        folder = self.root / "strategies"
        known = sorted(file.stem for file in folder.glob("*.py") if file.stem[0] != "_")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known) or 'none'}"
            raise StudyError(f"strategy: no strategies/{name}.py in this workspace; {hint}")
        return folder / f"{name}.py"


def load_strategy(path: Path) -> type[bt.Strategy]:
    """The one Backtrader strategy that a file defines; it may import files beside it.

    Raises
    ------
    StudyError
        If the file cannot be executed, or defines no strategy or several.
    """
    name = f"levsleeve_strategy_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StudyError(f"{path.name}: not a Python file; a file ending in .py is right")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise StudyError(
            f"{path.name}: it fails when loaded with {type(error).__name__}: {error}; "
            "a file that imports cleanly is right"
        ) from error
    finally:
        sys.path.remove(folder)
    found = [
        entry
        for entry in vars(module).values()
        if isinstance(entry, type) and issubclass(entry, bt.Strategy) and entry.__module__ == name
    ]
    if len(found) != 1:
        raise StudyError(
            f"{path.name}: it defines {len(found)} Backtrader strategies; exactly one is right"
        )
    return found[0]
