"""What an account takes for granted, in words: fills, calls, costs, borrowing, dated cash."""

from levsleeve.backtests.account_table import AccountTable
from levsleeve.backtests.borrow import borrow_line
from levsleeve.backtests.market import Market
from levsleeve.instruments.fund import PERCENT
from levsleeve.margin.charges import borrow_rates

FILL_LINES = {
    "next_close": "orders decided at a close fill at the next session's close",
    "next_open": (
        "orders decided at a close fill at the next session's open; options there are priced with "
        "the volatility of the close before"
    ),
    "same_close": (
        "LOOK-AHEAD: orders fill at the very close they are decided on, which no account can do; "
        "for replicating published results only"
    ),
}
CALL_LINES = {
    "ibkr": "at a margin call the broker liquidates at once, only what is needed",
    "call": (
        "a margin call may be met within {sessions} sessions (assumed); then the broker liquidates "
        "what is needed"
    ),
    "stop": "at its first margin call the account is closed and the run ends",
}
EXTREMES_LINE = (
    "; maintenance is tested at each session's lows and highs too, every fund at its own extreme "
    "on the same side of the index, and forced trades fill there"
)


def account_lines(account: AccountTable, market: Market) -> dict[str, str]:
    """Subject and sentence of what the account's own settings decide."""
    profile = market.rulebook.profile
    entries = [entry for entry in account.borrow if entry.fund in market.symbols]
    calls = CALL_LINES[account.call_policy].format(sessions=account.call_sessions)
    lines = {
        "fills": FILL_LINES[account.fill],
        "calls": calls + (EXTREMES_LINE if account.intraday_test else ""),
        "borrow fee": borrow_line(entries, borrow_rates(profile.borrow)),
        "trading": _trading_line(account, account.commission or profile.commission),
    }
    if account.fractional_shares:
        lines["shares"] = "fractions of a share trade, in ten-thousandths"
    if account.cash_flow:
        count = f"{len(account.cash_flow)} entr{'ies' if len(account.cash_flow) > 1 else 'y'}"
        lines["deposits and withdrawals"] = (
            f"dated, {count} of the study; a withdrawal is cut to what "
            "the account may pay out; returns are time-weighted, a money-weighted one beside"
        )
    return lines


def _trading_line(account: AccountTable, commission: str) -> str:
    """Commission, half-spread, slippage and penalty, with what differs by fund."""
    slippage = account.fund_slippage_rate
    slips = f", slippage {PERCENT * slippage:g} %" if slippage else ""
    own = [
        f"{symbol} {PERCENT * account.fund_spread(symbol):g} % in all"
        for symbol in account.fund_costs
    ]
    exceptions = f" ({', '.join(own)})" if own else ""
    return (
        f"{commission} commissions; half-spread {PERCENT * account.fund_half_spread_rate:g} % of "
        f"a fund's price{slips}{exceptions} and liquidation penalty "
        f"{PERCENT * account.liquidation_penalty_rate:g} % of value (both assumed)"
    )


def option_spread_line(account: AccountTable) -> str:
    """Half-spread and slippage of options, with what differs by fund."""
    slippage = account.option_slippage_rate
    slips = f", slippage {PERCENT * slippage:g} %" if slippage else ""
    own = [
        f"{symbol} {PERCENT * account.option_spread(symbol)[0]:g} % in all, at least "
        f"${account.option_spread(symbol)[1]:.2f}"
        for symbol in account.option_costs
    ]
    exceptions = f"; on {', on '.join(own)}" if own else ""
    return (
        f"half-spread {PERCENT * account.option_half_spread_rate:g} % of the premium{slips}, at "
        f"least ${account.option_half_spread_minimum_usd:.2f} a share{exceptions} (assumed)"
    )
