"""Every error that levsleeve raises on purpose, as one tree.

::

    LevsleeveError
    |-- DataError                prices, rates or files that cannot be trusted or found
    |-- ScheduleError            a dated rule asked for on a date that its table does not cover
    |-- StudyError               a study, sleeve or parameter that cannot be run as written
    |-- AccountError             an account snapshot that cannot be margined as written
    |-- LedgerError              the ledger does not add up: a defect of levsleeve
    `-- ParityError              the two drivers do not agree: a defect of levsleeve

A margin call, a refused order or a liquidation is not an error: it is an event of the run.
"""


class LevsleeveError(Exception):
    """Anything levsleeve refuses, with one message that a person can act on."""


class DataError(LevsleeveError, ValueError):
    """Prices, rates or files that cannot be trusted or found."""


class ScheduleError(LevsleeveError, LookupError):
    """A dated rule or fee asked for on a date that its table does not cover."""


class StudyError(LevsleeveError, ValueError):
    """A study, sleeve or parameter that cannot be run as written."""


class AccountError(LevsleeveError, ValueError):
    """An account snapshot that cannot be margined as written."""


class LedgerError(LevsleeveError, AssertionError):
    """The ledger does not add up: a defect of levsleeve, never of the user."""


class ParityError(LevsleeveError, AssertionError):
    """The compiled driver and Backtrader do not agree: a defect of levsleeve, never of the user."""
