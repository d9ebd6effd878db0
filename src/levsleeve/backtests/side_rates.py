"""What a dollar of each fund requires on one side, session by session."""

import math

import numpy as np

from levsleeve.backtests.tape import CLOSE, Tape, fund_terms_of
from levsleeve.compiled import Floats, array_rule
from levsleeve.margin.book import MARK, SHARES, Book
from levsleeve.margin.combination import MAINTENANCE, share_requirement

SAMPLE_USD = 1e6
"""So much of each fund is looked at: a dollar floor a share counts, a fee of a small order not."""


@array_rule
def side_rates(tape: Tape, signs: Floats) -> Floats:
    """Maintenance margin over market value by session and fund, shape (n_sessions, n_funds).

    ``signs`` are 1.0 for a long and -1.0 for a short.  Every rule counts that ``margin`` knows of
    shares: the dated rates, the floors per share, the house, portfolio margin.  A session without a
    price has the rate of the one before.
    """
    n_sessions, n = tape.sessions.shape[0], signs.size
    rates = np.zeros((n_sessions, n))
    book = Book(np.zeros((n, 2)), np.zeros((0, 7)))
    for t in range(n_sessions):
        terms = fund_terms_of(tape, t)
        for i in range(n):
            price = tape.funds[t, i, CLOSE]
            rates[t, i] = rates[t - 1, i] if t > 0 else 1.0
            if not math.isnan(price):
                book.funds[i, SHARES] = signs[i] * SAMPLE_USD / price
                book.funds[i, MARK] = price
                rates[t, i] = share_requirement(book, i, terms, MAINTENANCE) / SAMPLE_USD
    return rates
