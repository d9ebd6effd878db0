"""What an account is worth and what it must keep, at the marks it carries."""

from typing import NamedTuple

from levsleeve.backtests.state import CASH, Account, Tape, Terms, share_rules_of
from levsleeve.compiled import rule
from levsleeve.margin.requirement import share_requirements
from levsleeve.pricing.volatility import fund_option_delta, fund_option_price

YEAR_DAYS = 365.0
"""Option tenors are calendar days over 365."""


class Measures(NamedTuple):
    """The headline quantities of an account; dollars, ``utilization`` and ``cushion`` fractions."""

    cash: float
    equity: float
    equity_with_loan_value: float
    initial_margin: float
    maintenance_margin: float
    excess_liquidity: float
    utilization: float
    cushion: float
    exposure: float


@rule
def share_value(account: Account) -> float:
    """Signed market value of the shares, in dollars."""
    total = 0.0
    for i in range(account.shares.size):
        total += account.shares[i] * account.marks[i]
    return total


@rule
def option_value(account: Account) -> float:
    """Signed value of the options at their marks, in dollars."""
    total = 0.0
    for k in range(account.contracts.size):
        total += account.contracts[k] * account.multipliers[k] * account.option_marks[k]
    return total


@rule
def short_value(account: Account) -> float:
    """Market value of the short positions, >= 0, in dollars."""
    total = 0.0
    for i in range(account.shares.size):
        if account.shares[i] < 0.0:
            total -= account.shares[i] * account.marks[i]
    return total


@rule
def gross_value(account: Account) -> float:
    """Cash and positions without their signs: the scale of rounding errors, in dollars."""
    total = float(abs(account.money[CASH]))
    for i in range(account.shares.size):
        total += abs(account.shares[i]) * account.marks[i]
    for k in range(account.contracts.size):
        total += abs(account.contracts[k]) * account.multipliers[k] * account.option_marks[k]
    return total


@rule
def net_liquidation(account: Account) -> float:
    """Cash plus signed values of shares and options: the equity of the ledger, in dollars."""
    return float(account.money[CASH]) + share_value(account) + option_value(account)


@rule
def equity_with_loan_value(account: Account) -> float:
    """Cash plus signed value of the shares; options lend nothing.  Dollars."""
    return float(account.money[CASH]) + share_value(account)


@rule
def requirements(account: Account, tape: Tape, t: int) -> tuple[float, float]:
    """Dollars of maintenance and of initial margin at the marks, under the rules of ``t``."""
    return share_requirements(
        account.shares, account.marks, tape.multiples[t], share_rules_of(tape, t)
    )


@rule
def excess_liquidity(account: Account, tape: Tape, t: int) -> float:
    """Equity with loan value less maintenance margin: negative means a call.  Dollars."""
    return equity_with_loan_value(account) - requirements(account, tape, t)[0]


@rule
def slot_price(account: Account, tape: Tape, t: int, terms: Terms, k: int) -> float:
    """The model's price per share of the option in slot ``k`` at the close of session ``t``."""
    i = int(account.underlyings[k])
    return fund_option_price(
        tape.closes[t, i],
        account.strikes[k],
        (account.expiries[k] - tape.dates[t]) / YEAR_DAYS,
        account.rights[k],
        tape.bill_rates[t],
        tape.multiples[t, i],
        tape.cost_rates[t, i],
        tape.volatility[t],
        terms.volatility,
    )


@rule
def index_exposure(account: Account, tape: Tape, t: int, terms: Terms) -> float:
    """Signed dollars of the index that the account moves with: value times multiple, and delta."""
    total = 0.0
    for i in range(account.shares.size):
        total += account.shares[i] * account.marks[i] * tape.multiples[t, i]
    for k in range(account.contracts.size):
        if account.contracts[k] != 0.0:
            i = int(account.underlyings[k])
            delta = fund_option_delta(
                account.marks[i],
                account.strikes[k],
                (account.expiries[k] - tape.dates[t]) / YEAR_DAYS,
                account.rights[k],
                tape.bill_rates[t],
                tape.multiples[t, i],
                tape.cost_rates[t, i],
                tape.volatility[t],
                terms.volatility,
            )
            stood_for = account.contracts[k] * account.multipliers[k] * delta
            total += stood_for * account.marks[i] * tape.multiples[t, i]
    return total


@rule
def measure(account: Account, tape: Tape, t: int, terms: Terms) -> Measures:
    """All headline quantities at the marks the account carries, under the rules of session ``t``.

    Long options have no loan value: their marks are in equity, not in equity with loan value.
    Utilization is infinite where equity with loan value is not positive.

    References
    ----------
    Interactive Brokers, key margin definitions; FINRA Rule 4210(f)(2).
    """
    cash = account.money[CASH]
    loanable = equity_with_loan_value(account)
    equity = loanable + option_value(account)
    maintenance, initial = requirements(account, tape, t)
    excess = loanable - maintenance
    utilization = maintenance / loanable if loanable > 0.0 else float("inf")
    cushion = excess / equity if equity > 0.0 else float("-inf")
    return Measures(
        cash,
        equity,
        loanable,
        initial,
        maintenance,
        excess,
        utilization,
        cushion,
        index_exposure(account, tape, t, terms),
    )
