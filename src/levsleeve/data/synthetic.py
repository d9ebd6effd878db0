"""As-traded prices of a daily-reset fund that follows an index, for any multiple and any past."""

import numpy as np
import pandas as pd

from levsleeve.compiled import Floats
from levsleeve.data.bundled import calendar_days
from levsleeve.data.prices import PriceTable, Provenance
from levsleeve.errors import DataError
from levsleeve.instruments.fund import Fund
from levsleeve.pricing.daily_reset import as_traded_closes, net_asset_values

EXTREMES = "open, high and low are modelled: 1 + multiple x the index's own, from its last close"


def synthetic_prices(fund: Fund, index: PriceTable, bill: "pd.Series[float]") -> PriceTable:
    """The fund's prices from the index's first session on, where it closes at $100.

    Splits keep its price between $10 and $400: they change counts, never worth.  A fund whose
    value reaches zero terminates: it has no rows from that session on, and the provenance says
    so.  The index itself is returned as it is.

    Parameters
    ----------
    bill
        Simple annual rate on 365 days, by session; each session accrues the previous one's.

    Raises
    ------
    DataError
        If the bill rate lacks a session of the index.
    """
    if fund.is_index:
        return index
    values = _values(fund, index, bill)
    alive = int(np.count_nonzero(values > 0.0))
    closes, splits = as_traded_closes(values[:alive])
    frame = _with_extremes(fund.multiple, index.frame.iloc[:alive], closes, splits)
    return PriceTable(fund.symbol, "as_traded", frame, _provenance(fund, index, alive))


def _values(fund: Fund, index: PriceTable, bill: "pd.Series[float]") -> Floats:
    """Net asset value after each session; 1 at the first close."""
    rates = bill.reindex(index.sessions)
    missing = index.sessions[:-1][rates.iloc[:-1].isna()]
    if len(missing) > 0:
        raise DataError(
            f"{fund.symbol}: no bill rate on {len(missing)} sessions, first "
            f"{missing[0]:%Y-%m-%d}; a rate for every session of {index.symbol} is right"
        )
    return net_asset_values(
        np.asarray(index.total_returns(), dtype=np.float64),
        np.asarray(rates.shift(1, fill_value=0.0), dtype=np.float64),
        calendar_days(index.sessions),
        fund.multiple,
        fund.expense_ratio + fund.drag,
        fund.financing_spread,
    )


def _with_extremes(
    multiple: float, index: pd.DataFrame, closes: Floats, splits: Floats
) -> pd.DataFrame:
    """The price columns: a bull's high is the index's high, a bear's its low, floored at zero."""
    index_last = index["close"].shift(1).fillna(index["close"]) / index["split"]
    fund_last = np.concatenate([closes[:1], closes[:-1]]) / splits

    def reached(price: str) -> Floats:
        index_return = (index[price] / index_last - 1.0).to_numpy(dtype=np.float64)
        moved = np.maximum(fund_last * (1.0 + multiple * index_return), 0.0)
        moved[0] = closes[0]
        return moved

    opens = reached("open")
    top, bottom = ("high", "low") if multiple > 0.0 else ("low", "high")
    return pd.DataFrame(
        {
            "open": opens,
            "high": np.maximum(reached(top), np.maximum(opens, closes)),
            "low": np.minimum(reached(bottom), np.minimum(opens, closes)),
            "close": closes,
            "volume": 0.0,
            "dividend": 0.0,
            "split": splits,
        },
        index=index.index,
    )


def _provenance(fund: Fund, index: PriceTable, alive: int) -> Provenance:
    """What was modelled, from which rows."""
    notes = EXTREMES
    if alive < len(index.sessions):
        notes += (
            f"; terminated: worth nothing on {index.sessions[alive]:%Y-%m-%d}, "
            "no rows from that session on"
        )
    return Provenance(
        vendor="levsleeve",
        retrieved=index.provenance.retrieved,
        request=(
            f"daily-reset fund of {index.symbol}: multiple {fund.multiple:g}, a year on 365 days "
            f"expense {fund.expense_ratio:g}, drag {fund.drag:g}, "
            f"spread {fund.financing_spread:g} per turn"
        ),
        notes=notes,
    )
