"""Implied volatility of the S&P 500 by session: the VIX where there is one, else a stand-in.

The stand-in takes its daily shape from past returns and its level from the mean VIX of the
calendar year, which nobody knows during that year: fit to price an option, never to decide.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from levsleeve.errors import DataError

PERCENT = 100.0
SESSIONS_PER_YEAR = 252.0
WARM_UP = 63
"""Returns needed before the stand-in exists."""


@cache
def _facts() -> dict[str, dict[str, Any]]:
    """The tables of ``implied_volatility.toml``."""
    text = files("levsleeve.data").joinpath("implied_volatility.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def yearly_anchors() -> "pd.Series[float]":
    """Mean daily close of the VIX by calendar year, in percent points."""
    rows = _facts()["mean_close"]
    return pd.Series({int(year): float(rows[year]) for year in rows if year != "source"})


def volatility_shape(close: "pd.Series[float]") -> "pd.Series[float]":
    """What past returns alone say the VIX is; NaN before the 63rd return.

    ``max(9, a + b rv5 + c rv21 + d rv63 + e r5)`` with trailing volatilities ``rv`` and the
    return ``r5`` of five sessions in percent.
    """
    shape = _facts()["shape"]
    log_return = pd.Series(np.log(close / close.shift(1)), index=close.index)
    squared = log_return**2

    def realized(sessions: int) -> "pd.Series[float]":
        return PERCENT * (SESSIONS_PER_YEAR * squared.rolling(sessions).mean()) ** 0.5

    fitted: pd.Series[float] = (
        shape["intercept"]
        + shape["realized_5"] * realized(5)
        + shape["realized_21"] * realized(21)
        + shape["realized_63"] * realized(WARM_UP)
        + shape["return_5"] * PERCENT * log_return.rolling(5).sum()
    )
    return fitted.clip(lower=shape["floor"])


def anchored_proxy(close: "pd.Series[float]") -> "pd.Series[float]":
    """The shape, scaled so that each year has that year's mean VIX, in percent points.

    NaN before the 63rd return, and in a year whose mean is not in the table.
    """
    shape = volatility_shape(close)
    years = pd.Series(pd.DatetimeIndex(close.index).year, index=close.index)
    level = years.map(yearly_anchors()) / shape.groupby(years).transform("mean")
    return (shape * level).rename("anchored_proxy")


def implied_volatility_index(vix: "pd.Series[float]", close: "pd.Series[float]") -> pd.DataFrame:
    """The volatility to price with on each session of ``close``, and the rung it stands on.

    Column ``value`` is in percent points as the VIX is, NaN until the stand-in exists; ``rung``
    is ``vix`` or ``anchored_proxy``.  ``seen`` is what a decision may look at: the VIX where it is
    quoted, else what past returns alone say.

    Raises
    ------
    DataError
        If a session past the first 63 returns has neither.
    """
    known = vix.reindex(close.index)
    value = known.fillna(anchored_proxy(close))
    lacking = value.index[WARM_UP:][value.iloc[WARM_UP:].isna()]
    if len(lacking) > 0:
        anchors = yearly_anchors()
        raise DataError(
            f"implied volatility: neither VIX nor yearly mean on {len(lacking)} sessions, first "
            f"{lacking[0]:%Y-%m-%d}; a VIX close is right after {anchors.index[-1]}"
        )
    rung = pd.Series(np.where(known.notna(), "vix", "anchored_proxy"), index=close.index)
    seen = known.fillna(volatility_shape(close))
    return pd.DataFrame({"value": value, "rung": rung, "seen": seen})
