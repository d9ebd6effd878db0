"""The decorator that makes a function a *rule*: compiled, pure, and the same in every driver.

numba's on-disk cache does not notice an edit in another file, so that an edited rule could go on
being served by the machine code of its callers.  The machine code of a module therefore lives in a
folder named by a hash of its source and of all that it imports of us.  With ``NUMBA_DISABLE_JIT=1``
the rules run as plain Python and give the same bits.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parent
_IMPORT = re.compile(rb"^\s*(?:from|import)\s+levsleeve\b\.?([\w.]*)", re.MULTILINE)


def source_hash(package: Path, module: str | None = None) -> str:
    """Sixteen hexadecimal digits that change whenever a module or table of ``package`` does.

    With ``module`` (a path in the package, ``margin/account.py``) only the modules that it imports
    count, directly or not, and all tables.
    """
    return _hash_of(_sources(package), module)


Sources = Mapping[str, tuple[bytes, frozenset[str]]]


def _sources(package: Path) -> Sources:
    """The hash of every module and table by its path in the package, and what it imports of it."""
    texts = {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in sorted([*package.rglob("*.py"), *package.rglob("*.toml")])
    }
    return {
        name: (hashlib.sha256(text).digest(), _imports(text, texts)) for name, text in texts.items()
    }


def _imports(text: bytes, names: Collection[str]) -> frozenset[str]:
    """Which of the modules ``names`` a module imports; of a package, all that is in it."""
    found: set[str] = set()
    for dotted in _IMPORT.findall(text):
        path = dotted.decode().replace(".", "/")
        module, folder = f"{path}.py", f"{path}/" if path else ""
        if module in names:
            found.add(module)
        else:
            found.update(name for name in names if name.startswith(folder))
    return frozenset(found)


def _hash_of(sources: Sources, module: str | None) -> str:
    digest = hashlib.sha256()
    reached = sources.keys() if module is None else _reached(sources, module)
    for name, (content, _) in sources.items():
        if name in reached or name.endswith(".toml"):
            digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]


def _reached(sources: Sources, module: str) -> set[str]:
    """The module and those of the package that it imports, and they, and so on."""
    reached, left = {module}, [module]
    while left:
        new = sources[left.pop()][1] - reached
        reached |= new
        left += new
    return reached


def _cache_root() -> Path:
    """A writable folder for machine code, outside the package: it may be installed read-only."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "levsleeve"
    named = os.environ.get("NUMBA_CACHE_DIR")
    for folder in [Path(named), own] if named else [own]:
        try:
            expanded = folder.expanduser()
            expanded.mkdir(parents=True, exist_ok=True)
            if os.access(expanded, os.W_OK | os.X_OK):
                return expanded
        except (OSError, RuntimeError):
            pass  # a home that is absent, read-only or not a folder
    owner = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"levsleeve-{owner}"


_ROOT = _cache_root()
_SOURCES = _sources(_PACKAGE)


@cache
def _cache_folder(source: str) -> Path | None:
    """Where the machine code of a file's rules lives; None (nowhere) for one that is not ours."""
    path = Path(source)
    if not path.is_relative_to(_PACKAGE):
        return None
    module = path.relative_to(_PACKAGE)
    name = ".".join(module.with_suffix("").parts)
    return _ROOT / "numba" / f"{name}-{_hash_of(_SOURCES, module.as_posix())}"


def rule(function: F) -> F:
    """Compile a pure function of scalars and arrays; strict floating point, cached on disk.

    It counts no references to arrays: looking at them is then free, and cores do not meet at one
    counter, but it may not make or return one (``array_rule`` may).  A rule whose name begins with
    an underscore is called by rules of its module only: like an ``inner_rule`` it gets no entry
    from Python.
    """
    return _compiled(function, entry=not function.__name__.startswith("_"))


def hot_rule(function: F) -> F:
    """A rule of every session, short enough to be written out wherever another rule calls it."""
    return _compiled(function, entry=not function.__name__.startswith("_"), inlined=True)


def view_rule(function: F) -> F:
    """A hot rule that returns parts of arrays: rules call it, and Python never does."""
    return _compiled(function, entry=False, inlined=True)


def inner_rule(function: F) -> F:
    """A rule that other rules call, and Python never does.

    It gets no entry from Python, which for records of arrays is much of the work of compiling it.
    """
    return _compiled(function, entry=False)


def array_rule(function: F) -> F:
    """A rule that makes arrays, or holds those that another rule made."""
    return _compiled(function, entry=not function.__name__.startswith("_"), arrays=True)


def _compiled(function: F, *, entry: bool, arrays: bool = False, inlined: bool = False) -> F:
    """The function compiled by numba: with an entry from Python, with arrays of its own, or not."""
    folder = _cache_folder(function.__code__.co_filename)
    options: dict[str, Any] = {
        "cache": folder is not None,
        "error_model": "numpy",
        "fastmath": False,
        "nogil": True,
        "forceinline": inlined,
        "no_cfunc_wrapper": True,
        "no_cpython_wrapper": not entry,
        "_nrt": arrays,
    }
    given = numba.config.CACHE_DIR  # type: ignore[attr-defined]  # set at run time
    try:  # numba reads it where a function is declared; to others it shall stay what it was
        numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
        return cast("F", numba.njit(**options)(function))
    finally:
        numba.config.CACHE_DIR = given  # type: ignore[attr-defined]
