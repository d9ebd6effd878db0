"""What a dollar of each fund requires on one side, session by session."""

import math

import numpy as np

from levsleeve.backtests.tape import CLOSE, Tape, fund_terms_of
from levsleeve.compiled import Floats, rule
from levsleeve.margin.book import MARK, SHARES, Book, empty_book
from levsleeve.margin.combination import MAINTENANCE, share_requirement


def side_rates(tape: Tape, signs: Floats) -> Floats:
    """Maintenance margin over market value by session and fund, shape (n_sessions, n_funds).

    ``signs`` are 1.0 for a long and -1.0 for a short.  Every rule counts that ``margin`` knows of
    shares: the dated rates, the floors per share, the house, portfolio margin.  A session without a
    price has the rate of the one before.
    """
    rates = np.ones((tape.sessions.shape[0], signs.size))
    fill_rates(rates, empty_book(signs.size, 0), tape, signs)
    return rates


@rule
def fill_rates(rates: Floats, book: Book, tape: Tape, signs: Floats) -> None:
    """Write ``side_rates``; the book is room to reckon."""
    for t in range(rates.shape[0]):
        terms = fund_terms_of(tape, t)
        for i in range(signs.size):
            price = tape.funds[t, i, CLOSE]
            if math.isnan(price):
                rates[t, i] = rates[max(t - 1, 0), i]
            else:
                book.funds[i, SHARES], book.funds[i, MARK] = signs[i], price
                rates[t, i] = share_requirement(book, i, terms, MAINTENANCE) / price
