"""What an account is worth and what it must keep, at the marks it carries."""

from typing import NamedTuple

from levsleeve.backtests.state import (
    BORROW_FEE,
    CASH,
    CONTRIBUTIONS,
    CREDIT_INTEREST,
    DEBIT_INTEREST,
    EXTERNAL,
    SHORT_REBATE,
    SPECIAL_MEMORANDUM,
    Account,
)
from levsleeve.backtests.tape import (
    BILL_RATE,
    COST_RATE,
    DATE,
    VOLATILITY,
    Tape,
    fund_terms_of,
)
from levsleeve.compiled import hot_rule, inner_rule, rule
from levsleeve.margin.account import (
    cushion,
    gross_value,
    loan_value_equity,
    maintenance_after_expiry,
    maintenance_under_relief,
    margin_requirement,
    option_value,
    share_value,
    utilization,
)
from levsleeve.margin.book import (
    CONTRACTS,
    EXPIRY,
    MARK,
    MULTIPLE,
    MULTIPLIER,
    RIGHT,
    SHARES,
    STRIKE,
    UNDERLYING,
)
from levsleeve.margin.combination import END_OF_DAY, INITIAL_MARGIN, MAINTENANCE
from levsleeve.margin.requirement import special_memorandum_account
from levsleeve.pricing.volatility import VolatilityModel, fund_option_delta, fund_option_price

YEAR_DAYS = 365.0
"""Option tenors are calendar days over 365."""


class Measures(NamedTuple):
    """The headline quantities of an account; dollars, ``utilization`` and ``cushion`` fractions.

    Beside the maintenance margin in force stand what it would be were every option to expire now,
    and with the relief of FINRA for hedged shares, whatever the policy.
    """

    cash: float
    equity: float
    equity_with_loan_value: float
    initial_margin: float
    maintenance_margin: float
    excess_liquidity: float
    utilization: float
    cushion: float
    exposure: float
    maintenance_after_expiry: float
    maintenance_with_relief: float


@hot_rule
def net_liquidation(account: Account) -> float:
    """Cash plus signed values of shares and options: the equity of the ledger, in dollars."""
    return float(account.money[CASH]) + share_value(account.book) + option_value(account.book)


@hot_rule
def equity_with_loan_value(account: Account, tape: Tape, t: int) -> float:
    """Cash, signed value of the shares and what long options lend, in dollars."""
    return loan_value_equity(account.money[CASH], account.book, tape.rules[t])


@hot_rule
def account_scale(account: Account) -> float:
    """Cash and positions without their signs: the scale of rounding errors, in dollars."""
    return gross_value(account.money[CASH], account.book)


@rule
def requirement(account: Account, tape: Tape, t: int, kind: float) -> float:
    """Dollars that the positions require at their marks, under the rules of session ``t``.

    ``kind`` is one of ``margin.combination``: maintenance, initial, an order's or the day end's.
    """
    return _requirement(account, tape, t, kind)


@hot_rule
def _requirement(account: Account, tape: Tape, t: int, kind: float) -> float:
    """``requirement``, for what every session asks."""
    return margin_requirement(account.book, fund_terms_of(tape, t), kind)


@rule
def excess_liquidity(account: Account, tape: Tape, t: int) -> float:
    """Equity with loan value less maintenance margin: negative means a call.  Dollars."""
    return equity_with_loan_value(account, tape, t) - _requirement(account, tape, t, MAINTENANCE)


class Standing(NamedTuple):
    """What an account is worth, what of it counts, and what it must keep.  Dollars."""

    equity: float
    equity_with_loan_value: float
    maintenance_margin: float


@hot_rule
def standing_of(account: Account, tape: Tape, t: int) -> Standing:
    """The few quantities that every session needs, at the marks the account carries."""
    return Standing(
        net_liquidation(account),
        equity_with_loan_value(account, tape, t),
        _requirement(account, tape, t, MAINTENANCE),
    )


@hot_rule
def session_return(account: Account, before: float, worth: float) -> float:
    """Return of one session on equity, deposits and withdrawals taken out (see ``returns``)."""
    flows, base, carried = account.flows, before, 1.0
    if flows[EXTERNAL] != 0.0:
        posted = flows[DEBIT_INTEREST] + flows[CREDIT_INTEREST]
        posted += flows[SHORT_REBATE] + flows[BORROW_FEE]
        base = before + posted + flows[EXTERNAL]
        carried = 1.0 + posted / before
    return max(carried * worth / base - 1.0, -1.0)


@hot_rule
def memorandum_at(account: Account, tape: Tape, t: int, loanable_usd: float) -> float:
    """The special memorandum account if the day ended now, in dollars.

    ``loanable_usd`` is the equity with loan value.
    """
    required = _requirement(account, tape, t, END_OF_DAY)
    previous, added = account.money[SPECIAL_MEMORANDUM], account.money[CONTRIBUTIONS]
    return special_memorandum_account(previous, added, loanable_usd, required)


@inner_rule
def memorandum_now(account: Account, tape: Tape, t: int) -> float:
    """The special memorandum account if the day ended now, in dollars."""
    return memorandum_at(account, tape, t, equity_with_loan_value(account, tape, t))


@hot_rule
def last_session(tape: Tape, t: int, expiry: float) -> bool:
    """Whether an option that expires on date ``expiry`` has its last session at ``t`` or had it.

    One that expires on a day without a session settles at the close before.
    """
    if t + 1 < tape.sessions.shape[0]:
        return bool(expiry < tape.sessions[t + 1, DATE])
    return bool(expiry <= tape.sessions[t, DATE])


@hot_rule
def tenor_days(account: Account, tape: Tape, t: int, k: int) -> float:
    """Calendar days that the option in slot ``k`` has left; none on its last session."""
    expiry = account.book.slots[k, EXPIRY]
    return 0.0 if last_session(tape, t, expiry) else expiry - tape.sessions[t, DATE]


@hot_rule
def slot_price(
    account: Account, tape: Tape, t: int, seen: int, model: VolatilityModel, k: int
) -> float:
    """The model's price per share of the option in slot ``k`` at its fund's mark on session ``t``.

    Volatility and bill rate are those of the close of session ``seen``: ``t`` itself, or the one
    before where ``t`` has not closed yet.
    """
    i = int(account.book.slots[k, UNDERLYING])
    return fund_option_price(
        account.book.funds[i, MARK],
        account.book.slots[k, STRIKE],
        tenor_days(account, tape, t, k) / YEAR_DAYS,
        account.book.slots[k, RIGHT],
        tape.sessions[seen, BILL_RATE],
        tape.funds[t, i, MULTIPLE],
        tape.funds[t, i, COST_RATE],
        tape.sessions[seen, VOLATILITY],
        model,
    )


@rule
def index_exposure(account: Account, tape: Tape, t: int, model: VolatilityModel) -> float:
    """Signed dollars of the index that the account moves with: value times multiple, and delta."""
    total = 0.0
    for i in range(account.book.funds.shape[0]):
        total += (
            account.book.funds[i, SHARES] * account.book.funds[i, MARK] * tape.funds[t, i, MULTIPLE]
        )
    for k in range(account.book.slots.shape[0]):
        if account.book.slots[k, CONTRACTS] != 0.0:
            i = int(account.book.slots[k, UNDERLYING])
            delta = fund_option_delta(
                account.book.funds[i, MARK],
                account.book.slots[k, STRIKE],
                tenor_days(account, tape, t, k) / YEAR_DAYS,
                account.book.slots[k, RIGHT],
                tape.sessions[t, BILL_RATE],
                tape.funds[t, i, MULTIPLE],
                tape.funds[t, i, COST_RATE],
                tape.sessions[t, VOLATILITY],
                model,
            )
            stood_for = account.book.slots[k, CONTRACTS] * account.book.slots[k, MULTIPLIER] * delta
            total += stood_for * account.book.funds[i, MARK] * tape.funds[t, i, MULTIPLE]
    return total


@rule
def measure(account: Account, tape: Tape, t: int, model: VolatilityModel) -> Measures:
    """All headline quantities at the marks the account carries, under the rules of session ``t``.

    The marks of long options are in equity; in equity with loan value only what they lend.
    Utilization is infinite where equity with loan value is not positive.

    References
    ----------
    Interactive Brokers, key margin definitions; FINRA Rule 4210(f)(2).
    """
    cash = account.money[CASH]
    loanable = equity_with_loan_value(account, tape, t)
    equity = net_liquidation(account)
    maintenance = requirement(account, tape, t, MAINTENANCE)
    initial = requirement(account, tape, t, INITIAL_MARGIN)
    funds = fund_terms_of(tape, t)
    excess = loanable - maintenance
    return Measures(
        cash,
        equity,
        loanable,
        initial,
        maintenance,
        excess,
        utilization(maintenance, loanable),
        cushion(excess, equity),
        index_exposure(account, tape, t, model),
        maintenance_after_expiry(account.book, funds),
        maintenance_under_relief(account.book, funds, 1.0),
    )
