"""A market as one account meets it: its dated cash, its borrow terms, its fills."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from levsleeve.backtests.account_table import AccountTable
from levsleeve.backtests.borrow import borrow_by_session
from levsleeve.backtests.cash_flows import cash_flows_by_session
from levsleeve.backtests.market import Market, placeholder_borrow_rate
from levsleeve.backtests.opens import refuse_copied_opens
from levsleeve.backtests.tape import retaped


def market_of_account(market: Market, account: AccountTable, folder: Path) -> Market:
    """The market with the account's deposits, withdrawals and borrow terms on its sessions.

    Parameters
    ----------
    folder
        Where files of borrow fees are sought.

    Raises
    ------
    StudyError
        If an entry cannot be right, or orders shall fill at opens that are copies of closes.
    """
    tape, symbols = market.tape, market.symbols
    assumed = [placeholder_borrow_rate(fund, market.rulebook) for fund in market.funds]
    entries = [entry for entry in account.borrow if entry.fund in symbols]
    borrow = borrow_by_session(entries, symbols, market.sessions, assumed, folder)
    if account.fill == "next_open":
        for i, symbol in enumerate(symbols):
            opens, closes, splits = tape.opens[:, i], tape.closes[:, i], tape.splits[:, i]
            refuse_copied_opens(opens, closes, splits, market.sessions, symbol)
    tape = retaped(
        tape,
        cash_flows=cash_flows_by_session(account.cash_flow, market.sessions),
        borrow_rates=borrow.rates,
        borrow_states=borrow.states,
    )
    files = {
        f"borrow {entry.file}": sha256((folder / entry.file).read_bytes()).hexdigest()
        for entry in entries
        if entry.file is not None
    }
    return replace(market, tape=tape, data_hashes={**market.data_hashes, **files})
