"""Orders in option slots: which contract enters, how many fit, and the trade itself."""

from datetime import date
from typing import TYPE_CHECKING, Any

from levsleeve.backtests.event_kinds import (
    OPTION_ROLLED,
    ORDER_FILLED,
    WHY_NEXT_CONTRACT,
    WHY_ORDER,
)
from levsleeve.backtests.marks import clear_slot
from levsleeve.backtests.measures import last_session, slot_price
from levsleeve.backtests.orders import affordable_contracts, fill_option
from levsleeve.backtests.state import record
from levsleeve.errors import StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.margin.account import closing_part
from levsleeve.pricing.black_scholes import CALL, PUT
from levsleeve.strategies.hedges import CONTRACT_SHARES

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker


def allowed_contracts(broker: "MarginBroker", order: Any, k: int, wanted: float) -> float:
    """Contracts of an order that fit: what closes always, what opens as far as it passes the test.

    Raises
    ------
    StudyError
        If it opens without naming a contract, turns what is held around, or the slot is taken.
    """
    account = broker.account
    held = float(account.contracts[k])
    if closing_part(held, wanted) == wanted:
        return wanted
    if held * wanted < 0.0:
        raise StudyError(
            f"order in {order.data._name}: it trades {wanted:g} contracts but {held:g} are held; "
            f"at most {-held:g} close them, and another order opens"
        )
    if held == 0.0:
        _enter_contract(broker, order, k)
    else:
        _refuse_another(broker, order, k)
    return float(
        affordable_contracts(account, broker.market.tape, broker.session, k, wanted, broker.terms)
    )


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
    if last_session(tape, t, float(contract.expiry.toordinal())):
        raise StudyError(
            f"order in {order.data._name}: {contract} has expired at this fill, "
            f"{broker.market.sessions[broker.session]:%Y-%m-%d}; a later expiry is right"
        )
    account.multipliers[k] = CONTRACT_SHARES
    account.strikes[k] = contract.strike
    account.expiries[k] = contract.expiry.toordinal()
    account.rights[k] = PUT if contract.right == "put" else CALL
    account.underlyings[k] = broker.places[contract.fund]
    account.option_marks[k] = slot_price(
        account, broker.market.tape, broker.session, broker.seen, broker.terms, k
    )


def contract_held(broker: "MarginBroker", k: int) -> OptionContract | None:
    """The contract that an option slot holds, if it holds one."""
    account = broker.account
    if account.contracts[k] == 0.0:
        return None
    return OptionContract(
        broker.market.symbols[int(account.underlyings[k])],
        "put" if account.rights[k] == PUT else "call",
        float(account.strikes[k]),
        date.fromordinal(int(account.expiries[k])),
    )


def _refuse_another(broker: "MarginBroker", order: Any, k: int) -> None:
    """An order that adds to a slot names no other contract than it holds."""
    if isinstance(order.info.get("contract"), OptionContract):
        raise StudyError(
            f"order in {order.data._name}: the slot still holds {broker.account.contracts[k]:g} "
            "contracts of another option; sell them or let them expire first"
        )


def trade_contracts(broker: "MarginBroker", k: int, contracts: float) -> tuple[float, float]:
    """Trade signed contracts of a slot; returns the price per share and shares per contract."""
    account, tape, t = broker.account, broker.market.tape, broker.session
    held, multiplier = account.contracts[k], float(account.multipliers[k])
    paid = float(fill_option(account, tape, t, k, contracts, broker.terms))
    place, shares = account.shares.size + k, contracts * multiplier
    after, premium = account.contracts[k], account.option_marks[k]
    if held == 0.0:
        record(account, OPTION_ROLLED, place, shares, premium, held, after, WHY_NEXT_CONTRACT)
    record(account, ORDER_FILLED, place, shares, paid, held, after, WHY_ORDER)
    if after == 0.0:
        clear_slot(account, k)
    return paid, multiplier
