"""A temporary workspace with a small study, sharing one imported price cache."""

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]

STUDY = """\
schema = 1
name = "small"
title = "A small study"
start = 2008-06-02
end = 2009-06-30
rules_as_of = 2010-04-30
rules_beside = "session"
volatility_beside = "vix_linear_skew"

[account]
cash_usd = 100_000.0

[[sleeve]]
name = "puts"
strategy = "bull_3x_puts"

[[sleeve]]
name = "short"
strategy = "bear_sleeve"
parameters = { form = "short_bull" }
"""


def make_workspace(folder: Path, cache: Path, study: str = STUDY) -> Path:
    """Write ``backtests/small.toml`` beside the shipped strategies; returns the study's path."""
    shutil.copytree(
        REPOSITORY / "strategies",
        folder / "strategies",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "cache").symlink_to(cache, target_is_directory=True)
    path = folder / "backtests" / "small.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(study, encoding="utf-8")
    return path
