"""Account snapshots as a user writes them, most with one 3x fund called BULL."""

from typing import Any

from levsleeve.what_if.account import AccountAtHand, account_at_hand
from levsleeve.what_if.reading import read_account

TODAY = "2019-06-03"
EXPIRY = "2019-07-19"
Written = dict[str, Any]


def fund(price: float, multiple: float = 3.0, benchmark: str = "broad_based") -> Written:
    return {"price_usd": price, "multiple": multiple, "benchmark": benchmark}


def shares(number: float, symbol: str = "BULL") -> Written:
    """Shares; a negative number is sold short."""
    side = "long" if number > 0 else "short"
    return {"fund": symbol, "side": side, "shares": abs(number)}


def option(
    right: str,
    contracts: float,
    strike: float,
    mark: float = 0.0,
    *,
    expiry: str = EXPIRY,
    symbol: str = "BULL",
) -> Written:
    """Listed options; a negative number of contracts is written."""
    return {
        "option": right,
        "fund": symbol,
        "side": "long" if contracts > 0 else "short",
        "contracts": abs(contracts),
        "strike_usd": strike,
        "price_usd": mark,
        "expiry_date": expiry,
    }


def account(cash: float, *holdings: Written, **keys: Any) -> Written:
    """A snapshot; without ``funds`` BULL is a 3x fund at $100."""
    return {
        "date": TODAY,
        "cash_usd": cash,
        "funds": {"BULL": fund(100.0)},
        "holdings": list(holdings),
        **keys,
    }


def at_hand(cash: float, *holdings: Written, **keys: Any) -> AccountAtHand:
    return account_at_hand(read_account(account(cash, *holdings, **keys)))
