"""What a strategy needs of its run: every strategy is asked, and none is a special case."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from levsleeve.errors import StudyError
from levsleeve.instruments.fund import parse_fund
from levsleeve.strategies.positions import HedgeKind

OnShortfall = Literal["cut", "refuse"]
DEFAULT_FUNDS = ("UPRO",)
"""What a strategy trades that names no fund, in a study that names none for it either."""


@dataclass(frozen=True, slots=True)
class Needs:
    """The feeds of a run in order, funds before option slots, and what counts as its hedge.

    ``hedge_places`` are the funds or slots that the hedge is held in.  ``on_shortfall`` says what
    becomes of an opening that available funds do not cover: ``"refuse"`` or ``"cut"`` to what they
    do.

    Raises
    ------
    StudyError
        If there is no fund, or a feed is named twice.
    DataError
        If a fund has no such name.
    """

    funds: tuple[str, ...]
    slots: tuple[str, ...] = ()
    hedge: HedgeKind = "none"
    hedge_places: tuple[str, ...] = ()
    on_shortfall: OnShortfall = "refuse"

    def __post_init__(self) -> None:
        """Refuse what no run can have."""
        if not self.funds:
            raise StudyError("funds: none; a strategy trades at least one")
        for fund in self.funds:
            parse_fund(fund)
        doubled = [name for name, count in Counter(self.feeds).items() if count > 1]
        if doubled:
            raise StudyError(f"funds and slots: {doubled[0]} is named twice; names must differ")
        if self.on_shortfall not in ("cut", "refuse"):
            raise StudyError(f"on_shortfall: {self.on_shortfall!r}; 'cut' or 'refuse' is right")

    @property
    def feeds(self) -> tuple[str, ...]:
        """The names of its feeds: ``data0``, ``data1`` and so on."""
        return (*self.funds, *self.slots)
