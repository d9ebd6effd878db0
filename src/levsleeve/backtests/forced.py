"""The maintenance test, the test at the day's end, and what the broker does when they fail."""

from levsleeve.backtests.event_kinds import (
    BUY_IN,
    CALL_MET,
    CLOSED,
    MARGIN_CALL,
    WHY_CALL_CLOSES,
    WHY_CALL_DUE,
    WHY_CURED,
    WHY_EQUITY_GONE,
    WHY_EXCESS_LIQUIDITY,
    WHY_INTRADAY,
    WHY_RECALLED,
    WHY_SPECIAL_MEMORANDUM,
    WIPED,
)
from levsleeve.backtests.marks import INDEX_HIGH, INDEX_LOW, mark_extreme
from levsleeve.backtests.measures import (
    account_scale,
    excess_liquidity,
    memorandum_now,
    net_liquidation,
)
from levsleeve.backtests.orders import fill_shares
from levsleeve.backtests.relief import (
    alike,
    dearest,
    fewest_shares,
    gain_of_closing,
    liquidate_option,
    liquidate_shares,
    most_initial,
)
from levsleeve.backtests.state import (
    ACCOUNT_WIDE,
    AFTER_SESSIONS,
    CALL_AGE,
    CALLED,
    CLOSE_OUT,
    CLOSED_OUT,
    ENDED,
    TRADED,
    WIPED_OUT,
    Account,
    Terms,
    charges,
    note_charges,
    record,
)
from levsleeve.backtests.tape import (
    BORROW_STATE,
    RECALLS,
    Tape,
    is_quoted,
)
from levsleeve.compiled import hot_rule, inner_rule, rule
from levsleeve.instruments.borrow_state import BORROW_RECALLED
from levsleeve.margin.book import CONTRACTS, MARK, SHARES, UNDERLYING
from levsleeve.margin.combination import END_OF_DAY, MAINTENANCE
from levsleeve.margin.liquidation import in_deficit
from levsleeve.margin.schedule import CASH_ACCOUNT, PORTFOLIO_MODE


@hot_rule
def maintenance_test(account: Account, tape: Tape, t: int, terms: Terms, excess_usd: float) -> bool:
    """Call an account whose excess liquidity is below zero; true when something was liquidated.

    By ``call_policy`` the broker liquidates at once, or once ``call_sessions`` have passed without
    a cure, or closes the account.  What has no price that session waits for its next one, and the
    call stays open.  The event of a call states the deposit that would have cured it.
    ``excess_usd`` is the excess liquidity.
    """
    return _test(account, tape, t, terms, WHY_EXCESS_LIQUIDITY, excess_usd)


@rule
def intraday_test(account: Account, tape: Tape, t: int, terms: Terms) -> bool:
    """The maintenance test at the index's low of the session, then at its high.

    What is liquidated trades there, at the adverse extreme.  An account whose equity is gone there
    is wiped.
    """
    liquidated = False
    for side in range(2):
        if account.money[ENDED] == 0.0:
            mark_extreme(account, tape, t, INDEX_LOW if side == 0 else INDEX_HIGH, terms.volatility)
            excess = excess_liquidity(account, tape, t)
            liquidated = _test(account, tape, t, terms, WHY_INTRADAY, excess) or liquidated
            wipe_test(account)
    return liquidated


@hot_rule
def _test(
    account: Account, tape: Tape, t: int, terms: Terms, why: float, excess_usd: float
) -> bool:
    """The maintenance test at the marks that the account carries."""
    if account.money[CALL_AGE] < 0.0 and excess_usd >= 0.0:
        return False
    return _respond(account, tape, t, terms, why, excess_usd)


@inner_rule
def _respond(account: Account, tape: Tape, t: int, terms: Terms, why: float, before: float) -> bool:
    """What the broker does about an open call, or a deficit that makes a new one."""
    open_call = account.money[CALL_AGE] >= 0.0
    closing = open_call and terms.call_policy == CLOSE_OUT
    if not (closing or in_deficit(before, account_scale(account))):
        if open_call and why != WHY_INTRADAY:
            account.money[CALL_AGE] = -1.0
            record(account, CALL_MET, ACCOUNT_WIDE, 0.0, 0.0, before, before, WHY_CURED)
        return False
    row = account.events.shape[0]
    if not open_call:
        account.money[CALLED] = 1.0
        row = record(account, MARGIN_CALL, ACCOUNT_WIDE, 0.0, -before, before, before, why)
    if terms.call_policy == AFTER_SESSIONS and net_liquidation(account) > 0.0:
        account.money[CALL_AGE] = max(account.money[CALL_AGE], 0.0)
        if account.money[CALL_AGE] < terms.call_sessions or why == WHY_INTRADAY:
            return False
        why = WHY_CALL_DUE
    if terms.call_policy == CLOSE_OUT:
        _close_out(account, tape, t, terms)
    else:
        _cure(account, tape, t, terms, why)
    still_open = _is_called(account, tape, t) or terms.call_policy == CLOSE_OUT
    account.money[CALL_AGE] = max(account.money[CALL_AGE], 0.0) if still_open else -1.0
    if row < account.events.shape[0]:
        account.events[row, 5] = excess_liquidity(account, tape, t)
    return True


@rule
def _cure(account: Account, tape: Tape, t: int, terms: Terms, why: float) -> None:
    """Liquidate only what is needed, costs included.

    Shares go first, by excess liquidity gained per dollar traded (ties by the order of the funds),
    written options next, long options that bring more than they cost last.
    """
    for _ in range(account.book.funds.shape[0] * (account.book.slots.shape[0] + 2)):
        i = dearest(account, tape, t, terms)
        if i < 0 or not _is_called(account, tape, t):
            break
        quantity = fewest_shares(account, tape, t, i, terms, MAINTENANCE)
        quantity = min(quantity, alike(account, tape, t, i))
        liquidate_shares(account, tape, t, i, quantity, terms, why)
    for sign in (-1.0, 1.0):
        for k in range(account.book.slots.shape[0]):
            if sign * account.book.slots[k, CONTRACTS] <= 0.0 or not _trades(account, tape, t, k):
                continue
            helps = gain_of_closing(account, tape, t, k, terms) > 0.0
            if helps and _is_called(account, tape, t):
                liquidate_option(account, tape, t, k, terms, why)


@rule
def _is_called(account: Account, tape: Tape, t: int) -> bool:
    """Whether excess liquidity is below zero."""
    return in_deficit(excess_liquidity(account, tape, t), account_scale(account))


@rule
def _trades(account: Account, tape: Tape, t: int, k: int) -> bool:
    """Whether the option of slot ``k`` has a price: its fund has one."""
    return is_quoted(tape, t, int(account.book.slots[k, UNDERLYING]))


@rule
def _close_out(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Close every position; the run ends once nothing is held."""
    before = net_liquidation(account)
    left = 0
    for i in range(account.book.funds.shape[0]):
        held = abs(account.book.funds[i, SHARES])
        if held > 0.0 and is_quoted(tape, t, i) and account.book.funds[i, MARK] > 0.0:
            liquidate_shares(account, tape, t, i, held, terms, WHY_CALL_CLOSES)
        elif held > 0.0 and account.book.funds[i, MARK] > 0.0:
            left += 1
    for k in range(account.book.slots.shape[0]):
        if account.book.slots[k, CONTRACTS] != 0.0 and _trades(account, tape, t, k):
            liquidate_option(account, tape, t, k, terms, WHY_CALL_CLOSES)
        elif account.book.slots[k, CONTRACTS] != 0.0:
            left += 1
    if left == 0:
        after = net_liquidation(account)
        account.money[ENDED] = CLOSED_OUT
        record(account, CLOSED, ACCOUNT_WIDE, 0.0, 0.0, before, after, WHY_CALL_CLOSES)


@hot_rule
def buy_in(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Buy back at the marks what is short of funds whose lender wants the shares."""
    if tape.sessions[t, RECALLS] != 0.0:
        _buy_in(account, tape, t, terms)


@rule
def _buy_in(account: Account, tape: Tape, t: int, terms: Terms) -> None:
    """Buy back the shorts whose lender wants the shares."""
    for i in range(account.book.funds.shape[0]):
        short = account.book.funds[i, SHARES]
        if (
            short < 0.0
            and tape.funds[t, i, BORROW_STATE] == BORROW_RECALLED
            and is_quoted(tape, t, i)
        ):
            charged = charges(account)
            paid = fill_shares(account, tape, t, i, -short, terms)
            row = record(account, BUY_IN, i, -short, paid, short, 0.0, WHY_RECALLED)
            note_charges(account, row, charges(account) - charged)


@hot_rule
def special_memorandum_test(account: Account, tape: Tape, t: int, terms: Terms) -> bool:
    """The test at the end of a day with trades: liquidate where the account would end negative.

    Portfolio margin and cash accounts know none.  It bites only where orders were tested on less
    than the day end's initial margin, and liquidates at once whatever the policy on calls; shares
    go in the order of the initial margin they release per dollar (ties by the order of the funds),
    as few as clear it, costs included.

    References
    ----------
    Interactive Brokers, special memorandum account; 12 CFR 220.5.
    """
    rules = tape.rules[t]
    if account.money[TRADED] == 0.0 or rules[PORTFOLIO_MODE] != 0.0 or rules[CASH_ACCOUNT] != 0.0:
        return False
    before = memorandum_now(account, tape, t)
    if in_deficit(before, account_scale(account)):
        _clear_memorandum(account, tape, t, terms, before)
        return True
    return False


@inner_rule
def _clear_memorandum(account: Account, tape: Tape, t: int, terms: Terms, before: float) -> None:
    """Liquidate until the special memorandum account is not negative."""
    account.money[CALLED] = 1.0
    row = record(
        account, MARGIN_CALL, ACCOUNT_WIDE, 0.0, -before, before, before, WHY_SPECIAL_MEMORANDUM
    )
    for _ in range(account.book.funds.shape[0]):
        i = most_initial(account, tape, t)
        left = memorandum_now(account, tape, t)
        if i < 0 or not in_deficit(left, account_scale(account)):
            break
        quantity = fewest_shares(account, tape, t, i, terms, END_OF_DAY)
        liquidate_shares(account, tape, t, i, quantity, terms, WHY_SPECIAL_MEMORANDUM)
    if row < account.events.shape[0]:
        account.events[row, 5] = memorandum_now(account, tape, t)


@hot_rule
def wipe_test(account: Account) -> bool:
    """Whether equity is gone, which ends the run; the event says how much is left, or owed."""
    worth = net_liquidation(account)
    if account.money[ENDED] != WIPED_OUT and worth <= 0.0:
        account.money[ENDED] = WIPED_OUT
        record(account, WIPED, ACCOUNT_WIDE, 0.0, 0.0, worth, worth, WHY_EQUITY_GONE)
    return bool(account.money[ENDED] == WIPED_OUT)
