"""The decorator that makes a function a *rule*: compiled, pure, and the same in every driver.

numba's on-disk cache does not notice an edit in another file, so that an edited rule could go on
being served by the machine code of its callers.  The cache therefore lives in a folder named by a
hash of all our sources, chosen here before any rule is compiled.  With ``NUMBA_DISABLE_JIT=1``
the rules run as plain Python and give the same bits.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])


def source_hash(package: Path) -> str:
    """Sixteen hexadecimal digits that change whenever a module or table of ``package`` does."""
    digest = hashlib.sha256()
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.toml")]):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _cache_folder() -> Path:
    """A writable folder for machine code, outside the package: it may be installed read-only."""
    name = f"levsleeve/numba-{source_hash(Path(__file__).parent)}"
    try:
        preferred = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / name
        preferred.mkdir(parents=True, exist_ok=True)
        if os.access(preferred, os.W_OK | os.X_OK):
            return preferred
    except (OSError, RuntimeError):
        pass  # a home that is absent, read-only or not a folder
    owner = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"levsleeve-{owner}" / name


os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache_folder()))

import numba  # noqa: E402  (only after the cache folder is named)

# numba has not seen the name where another library imported it before us.
numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]  # type: ignore[attr-defined]  # set at run time


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
    options: dict[str, Any] = {
        "cache": True,
        "error_model": "numpy",
        "fastmath": False,
        "nogil": True,
        "forceinline": inlined,
        "no_cfunc_wrapper": True,
        "no_cpython_wrapper": not entry,
        "_nrt": arrays,
    }
    return cast("F", numba.njit(**options)(function))
