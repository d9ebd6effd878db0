"""Dated deposits and withdrawals: what a study says of them, and on which session each falls."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from levsleeve.compiled import Floats
from levsleeve.errors import StudyError
from levsleeve.strict_table import StrictTable

MONTHS = {"month": 1, "quarter": 3, "year": 12}
MONTHS_PER_YEAR = 12


def _moves_money(amount_usd: float) -> float:
    """An amount of nothing is a slip of the pen."""
    if amount_usd == 0.0:
        raise ValueError(f"{amount_usd}; a deposit above 0 or a withdrawal below 0 is right")
    return amount_usd


class CashFlow(StrictTable):
    """Dollars paid in (positive) or taken out (negative) on a date, once or ``every`` so often.

    A repetition goes on to ``until``, that day included, or else to the study's last session.  It
    keeps the day of the month; where a month is too short for it, its last day stands in.
    """

    on: date
    amount_usd: Annotated[float, Field(allow_inf_nan=False), AfterValidator(_moves_money)]
    every: Literal["week", "month", "quarter", "year"] | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "CashFlow":
        """What no single key can show."""
        if self.until is not None and self.every is None:
            raise ValueError(
                f"until: {self.until} beside no every; until ends what repeats, "
                'such as every = "month"'
            )
        if self.until is not None and self.until < self.on:
            raise ValueError(
                f"until: {self.until} is before on {self.on}; the same date or a later one is right"
            )
        return self

    def dates(self, last: date) -> list[date]:
        """The calendar days it falls on, none after ``last`` or ``until``.

        Examples
        --------
        >>> rent = CashFlow(on=date(2008, 1, 31), amount_usd=-500.0, every="month")
        >>> [str(day) for day in rent.dates(date(2008, 4, 1))]
        ['2008-01-31', '2008-02-29', '2008-03-31']
        """
        if self.every is None:
            return [self.on]
        end = last if self.until is None else min(last, self.until)
        days = [self.on]
        while days[-1] <= end:
            days.append(self._repetition(len(days)))
        return days[:-1]

    def _repetition(self, count: int) -> date:
        """The day of repetition ``count``, the first being 0, reckoned from the first day."""
        if self.every is None or self.every == "week":
            return self.on + timedelta(weeks=count)
        months = self.on.month - 1 + count * MONTHS[self.every]
        year, month = self.on.year + months // MONTHS_PER_YEAR, months % MONTHS_PER_YEAR + 1
        return date(year, month, min(self.on.day, monthrange(year, month)[1]))


def cash_flows_by_session(flows: Sequence[CashFlow], sessions: pd.DatetimeIndex) -> Floats:
    """Signed dollars of all flows on each session, shape (n_sessions,).

    A flow on a day without a session falls on the next one; those of one session add.

    Raises
    ------
    StudyError
        If a date that is given lies before the first or after the last session.
    """
    first, last = sessions[0].date(), sessions[-1].date()
    by_session = np.zeros(len(sessions))
    for flow in flows:
        for key, day in (("on", flow.on), ("until", flow.until)):
            if day is not None and not first <= day <= last:
                raise StudyError(
                    f"account.cash_flow: {key} {day} is outside the sessions of the study, "
                    f"{first} to {last}; a date within them is right"
                )
        rows = sessions.searchsorted(pd.DatetimeIndex(flow.dates(last)))
        np.add.at(by_session, rows, flow.amount_usd)
    return by_session
