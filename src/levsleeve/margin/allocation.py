"""The most that combining positions can save: a small linear program, solved exactly.

Shares and options of one fund stand in a combination at most with the units that are held; what a
unit of each combination saves is given.  The matrix holds zeros and ones only.
"""

import numpy as np

from levsleeve.compiled import Floats, array_rule, rule

NOBODY = -1
"""No third member of a combination; no row or column."""
TINY = 1e-12


@array_rule
def most_saving(units: Floats, members: Floats, savings: Floats) -> Floats:
    """Units of each combination that save most, no position used beyond its ``units``.

    The simplex method from the solution that combines nothing; Bland's choice of the pivot cannot
    cycle.  ``members`` (n, 3) are the positions of each combination, ``savings`` dollars per unit.

    References
    ----------
    Bland, R. (1977), Mathematics of Operations Research 2(2).

    Examples
    --------
    >>> import numpy as np
    >>> members = np.array([[0.0, 1.0, NOBODY], [0.0, 2.0, NOBODY]])
    >>> most_saving(np.array([100.0, 60.0, 80.0]), members, np.array([1.0, 3.0])).tolist()
    [20.0, 80.0]
    """
    tableau, basis = _start(units, members, savings)
    while True:
        entering = _entering(tableau)
        if entering == NOBODY:
            break
        leaving = _leaving(tableau, entering, basis)
        if leaving == NOBODY:
            break
        _pivot(tableau, leaving, entering)
        basis[leaving] = entering
    uses = np.zeros(savings.size)
    for r in range(units.size):
        if basis[r] < savings.size:
            uses[int(basis[r])] = tableau[r, -1]
    return uses


@array_rule
def _start(units: Floats, members: Floats, savings: Floats) -> tuple[Floats, Floats]:
    """The tableau with one slack a position, and the basis in which nothing is combined."""
    rows, columns = units.size, savings.size
    tableau = np.zeros((rows + 1, columns + rows + 1))
    for c in range(columns):
        tableau[rows, c] = -savings[c]
        for member in range(3):
            if members[c, member] != NOBODY:
                tableau[int(members[c, member]), c] = 1.0
    basis = np.zeros(rows)
    for r in range(rows):
        tableau[r, columns + r] = 1.0
        tableau[r, columns + rows] = units[r]
        basis[r] = columns + r
    return tableau, basis


@rule
def _entering(tableau: Floats) -> int:
    """The first column whose use would still save something."""
    last = tableau.shape[0] - 1
    for c in range(tableau.shape[1] - 1):
        if tableau[last, c] < -TINY:
            return c
    return NOBODY


@rule
def _leaving(tableau: Floats, entering: int, basis: Floats) -> int:
    """The row that bounds the entering column; of equals the one whose variable comes first."""
    best, least = NOBODY, np.inf
    for r in range(tableau.shape[0] - 1):
        if tableau[r, entering] > TINY:
            ratio = tableau[r, -1] / tableau[r, entering]
            tied = best != NOBODY and ratio == least and basis[r] < basis[best]
            if ratio < least or tied:
                best, least = r, ratio
    return best


@array_rule
def _pivot(tableau: Floats, row: int, column: int) -> None:
    """Make ``column`` a unit vector with its one in ``row``."""
    tableau[row] /= tableau[row, column]
    for r in range(tableau.shape[0]):
        if r != row and tableau[r, column] != 0.0:
            tableau[r] -= tableau[r, column] * tableau[row]
