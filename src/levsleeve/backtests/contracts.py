"""Orders in option slots: which contract enters, how many fit, and the trade itself."""

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from levsleeve.backtests.measures import last_session
from levsleeve.backtests.settling import enter_contract
from levsleeve.errors import StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.account import closing_part
from levsleeve.margin.book import CONTRACTS, EXPIRY, RIGHT, STRIKE, UNDERLYING
from levsleeve.pricing.black_scholes import CALL, PUT
from levsleeve.strategies.hedges import CONTRACT_SHARES

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker


def make_ready(broker: "MarginBroker", order: Any, k: int, wanted: float) -> None:
    """Have the contract of an opening order in its slot: an empty one takes the order's.

    Raises
    ------
    StudyError
        If it opens without naming a contract, turns what is held around, or the slot is taken.
    """
    held = float(broker.account.book.slots[k, CONTRACTS])
    if closing_part(held, wanted) == wanted:
        return
    if held * wanted < 0.0:
        raise StudyError(
            f"order in {order.data._name}: it trades {wanted:g} contracts but {held:g} are held; "
            f"at most {-held:g} close them, and another order opens"
        )
    if held == 0.0:
        _enter_contract(broker, order, k)
    else:
        _refuse_another(broker, order, k)


def _enter_contract(broker: "MarginBroker", order: Any, k: int) -> None:
    """Put the order's contract into an empty slot, at the model's price of this close."""
    contract, account = order.info.get("contract"), broker.account
    if not isinstance(contract, OptionContract):
        raise StudyError(
            f"order in {order.data._name}: it names no contract; "
            "buy(data=slot, size=n, contract=OptionContract(...)) is right"
        )
    if contract.fund not in broker.market.symbols:
        raise StudyError(
            f"order in {order.data._name}: {contract} is on a fund outside the study; "
            f"the study has {', '.join(broker.market.symbols)}"
        )
    tape, t = broker.market.tape, broker.session
    waited = "waited" in order.info  # one that outlives its contract is refused, with an event
    if not waited and last_session(tape, t, float(contract.expiry.toordinal())):
        raise StudyError(
            f"order in {order.data._name}: {contract} has expired at this fill, "
            f"{broker.market.sessions[broker.session]:%Y-%m-%d}; a later expiry is right"
        )
    right = PUT if contract.right == "put" else CALL
    expiry, underlying = contract.expiry.toordinal(), broker.places[contract.fund]
    terms = np.array([CONTRACT_SHARES, contract.strike, expiry, right, underlying])
    enter_contract(account, tape, t, broker.seen, broker.terms.volatility, k, terms)


def contract_held(broker: "MarginBroker", k: int) -> OptionContract | None:
    """The contract that an option slot holds, if it holds one."""
    account = broker.account
    if account.book.slots[k, CONTRACTS] == 0.0:
        return None
    return OptionContract(
        broker.market.symbols[int(account.book.slots[k, UNDERLYING])],
        "put" if account.book.slots[k, RIGHT] == PUT else "call",
        float(account.book.slots[k, STRIKE]),
        date.fromordinal(int(account.book.slots[k, EXPIRY])),
    )


def _refuse_another(broker: "MarginBroker", order: Any, k: int) -> None:
    """An order that adds to a slot names no other contract than it holds."""
    held = float(broker.account.book.slots[k, CONTRACTS])
    if isinstance(order.info.get("contract"), OptionContract):
        raise StudyError(
            f"order in {order.data._name}: the slot still holds {held:g} "
            "contracts of another option; sell them or let them expire first"
        )
