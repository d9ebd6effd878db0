"""Plans of charges as tables, ours and a user's alike: what a broker's price list must say."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, ValidationError

from levsleeve.errors import ScheduleError
from levsleeve.strict_table import StrictTable, in_words

Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
AboveZero = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Spread = Annotated[float, Field(gt=-1.0, lt=1.0, allow_inf_nan=False)]
End = Annotated[float, Field(gt=0.0)]
Words = Annotated[str, Field(min_length=1)]
Table = TypeVar("Table", bound=StrictTable)
Slices = TypeVar("Slices", bound=Sequence[StrictTable])


def _rising(slices: Slices) -> Slices:
    """Slices end one after the other, the last at infinity; the end is their first key."""
    if not slices:
        return slices
    end = next(iter(type(slices[0]).model_fields))
    ends = [getattr(row, end) for row in slices]
    if ends[-1] != math.inf or any(first >= second for first, second in pairwise(ends)):
        raise ValueError(f"{end}: {ends}; ends that increase up to inf are right")
    return slices


def _parted(premiums: tuple[float, float]) -> tuple[float, float]:
    """Two premiums part three classes."""
    if premiums[0] >= premiums[1]:
        raise ValueError(f"{list(premiums)}; a lower premium before a higher one is right")
    return premiums


class ShareSlice(StrictTable):
    """Dollars a share up to so many shares a month."""

    up_to_shares: End
    per_share_usd: Amount


class ContractSlice(StrictTable):
    """Dollars a contract up to so many contracts a month: low, middle and high premium."""

    up_to_contracts: End
    per_contract_usd: Annotated[tuple[Amount, Amount, Amount], Field(strict=False)]


class DebitSlice(StrictTable):
    """Spread over the benchmark on a debit up to so many dollars."""

    up_to_usd: End
    spread: Spread


class IncomeSlice(StrictTable):
    """Spread over the benchmark that a balance earns up to so many dollars; left out: nothing."""

    up_to_usd: End
    spread: Spread | None = None


Incomes = Annotated[
    tuple[IncomeSlice, ...], Field(strict=False, min_length=1), AfterValidator(_rising)
]


class CommissionTable(StrictTable):
    """A plan of commissions; ``pass_through_fraction`` is of the commission on shares."""

    source: Words
    standing: Words
    shares: Annotated[
        tuple[ShareSlice, ...], Field(strict=False, min_length=1), AfterValidator(_rising)
    ]
    minimum_order_usd: Amount
    maximum_fraction: Fraction
    clearing_per_share_usd: Amount
    pass_through_fraction: Fraction
    options: Annotated[
        tuple[ContractSlice, ...], Field(strict=False, min_length=1), AfterValidator(_rising)
    ]
    option_minimum_order_usd: Amount
    option_premium_usd: Annotated[
        tuple[Amount, Amount], Field(strict=False), AfterValidator(_parted)
    ]
    exercise_usd: Amount


class FinancingTable(StrictTable):
    """A plan of interest, and on what value borrowed shares are charged."""

    source: Words
    standing: Words
    day_count_basis: AboveZero
    full_rate_net_liquidation_usd: Amount
    least_debit_rate: Fraction
    borrow_markup: AboveZero
    borrow_round_up_usd: Amount
    debit: Annotated[
        tuple[DebitSlice, ...], Field(strict=False, min_length=1), AfterValidator(_rising)
    ]
    credit: Incomes
    short_proceeds: Incomes


class BorrowTable(StrictTable):
    """Placeholder borrow fees, fractions a year."""

    source: Words
    standing: Words
    bull_rate: Amount
    inverse_rate: Amount


def checked(table: type[Table], entry: Table | Mapping[str, Any], subject: str) -> Table:
    """A table as written, checked.

    Raises
    ------
    ScheduleError
        With the subject, the key and what would be right.
    """
    try:
        return table.model_validate(entry)
    except ValidationError as error:
        raise ScheduleError(f"{subject}: {in_words(error, table)}") from None
