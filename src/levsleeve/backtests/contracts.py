"""Orders in option slots: which contract enters, how many fit, and the trade itself."""

from typing import TYPE_CHECKING, Any

from levsleeve.backtests.measures import slot_price
from levsleeve.backtests.orders import affordable_contracts, fill_option
from levsleeve.backtests.state import (
    OPTION_ROLLED,
    ORDER_FILLED,
    WHY_NEXT_CONTRACT,
    WHY_ORDER,
    record,
)
from levsleeve.backtests.steps import clear_slot
from levsleeve.errors import StudyError
from levsleeve.instruments.option import OptionContract
from levsleeve.pricing.black_scholes import CALL, PUT
from levsleeve.strategies.hedges import CONTRACT_SHARES

if TYPE_CHECKING:
    from levsleeve.backtests.broker import MarginBroker


def allowed_contracts(broker: "MarginBroker", order: Any, k: int, wanted: float) -> float:
    """Contracts of an order that fit: a sale of what is held always, a purchase if paid in full.

    Raises
    ------
    StudyError
        If it sells more than is held, names no contract, or the slot is taken.
    """
    account = broker.account
    if wanted < 0.0:
        if -wanted > account.contracts[k]:
            raise StudyError(
                f"order in {order.data._name}: it sells {-wanted:g} contracts but "
                f"{account.contracts[k]:g} are held; options are bought, or sold from what is held"
            )
        return wanted
    _enter_contract(broker, order, k)
    return float(
        affordable_contracts(
            account,
            broker.market.tape,
            broker.session,
            wanted,
            account.multipliers[k],
            account.option_marks[k],
            broker.terms,
        )
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
    if account.contracts[k] != 0.0:
        raise StudyError(
            f"order in {order.data._name}: the slot still holds {account.contracts[k]:g} "
            "contracts; sell them or let them expire first"
        )
    if contract.expiry.toordinal() <= broker.market.tape.dates[broker.session]:
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
        account, broker.market.tape, broker.session, broker.terms, k
    )


def trade_contracts(broker: "MarginBroker", k: int, contracts: float) -> tuple[float, float]:
    """Trade signed contracts of a slot; returns the price per share and shares per contract."""
    account, tape, t = broker.account, broker.market.tape, broker.session
    held, multiplier = account.contracts[k], float(account.multipliers[k])
    paid = float(fill_option(account, tape, t, k, contracts, broker.terms))
    place, shares = account.shares.size + k, contracts * multiplier
    after, premium = account.contracts[k], account.option_marks[k]
    if contracts > 0.0:
        record(account, OPTION_ROLLED, place, shares, premium, held, after, WHY_NEXT_CONTRACT)
    record(account, ORDER_FILLED, place, shares, paid, held, after, WHY_ORDER)
    if after == 0.0:
        clear_slot(account, k)
    return paid, multiplier
