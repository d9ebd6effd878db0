"""What a snapshot may not say together with the rulebook that it names."""

from collections.abc import Sequence

from levsleeve.errors import AccountError
from levsleeve.margin.book import FundTerms
from levsleeve.margin.house import INITIAL_FACTOR, LONG_RATE, MAINTENANCE_FACTOR, SHORT_RATE
from levsleeve.margin.rulebook import Rulebook
from levsleeve.margin.schedule import FLAT_RATE
from levsleeve.what_if.snapshot import MOST, OptionHolding, ShareHolding, Snapshot


def refuse_debts(
    book: Rulebook, snapshot: Snapshot, holdings: Sequence[ShareHolding | OptionHolding]
) -> None:
    """A cash account owes neither cash nor shares.

    Raises
    ------
    AccountError
        Naming the first that is owed.
    """
    if book.policy.margin_mode != "cash":
        return
    owed = [str(holding) for holding in holdings if holding.side == "short"]
    if snapshot.cash_usd < 0.0:
        owed.insert(0, f"cash_usd {snapshot.cash_usd:,.2f}")
    if owed:
        raise AccountError(
            f"policy.margin_mode: cash, but the account has {owed[0]}; a cash account borrows and "
            "sells short nothing, margin_mode strategy is right"
        )


def refuse_unknown_state(book: Rulebook, snapshot: Snapshot) -> None:
    """A house rate that depends on the state of the market needs to be told that state.

    Raises
    ------
    AccountError
        Naming what is missing.
    """
    asked = {"volatility": "volatility_index", "flow": "previous_index_return"}
    for state in book.needs_state:
        if getattr(snapshot, asked[state]) is None:
            raise AccountError(
                f"{asked[state]}: missing; the house rate of {snapshot.profile} depends on it, "
                "a fraction is right"
            )


def refuse_endless_rates(terms: FundTerms) -> None:
    """A rate that no arithmetic holds is a slip of the pen.

    Raises
    ------
    AccountError
        If one is above ``MOST``.
    """
    flat = terms.rules[FLAT_RATE]
    house = terms.overlays[:, [MAINTENANCE_FACTOR, INITIAL_FACTOR, LONG_RATE, SHORT_RATE]]
    if flat > MOST or not (house <= MOST).all():
        raise AccountError(f"house and flat rates: above {MOST:g}; fractions of value are right")
