"""Whether a fund's shares can be borrowed, as floats that arrays and compiled rules can hold."""

BORROW_AVAILABLE = 0.0
BORROW_UNAVAILABLE = 1.0
"""No new short; those that exist may stay."""

BORROW_RECALLED = 2.0
"""The lender wants the shares back: shorts are bought in, and there is no new one."""

BORROW_STATES = {
    "available": BORROW_AVAILABLE,
    "unavailable": BORROW_UNAVAILABLE,
    "recalled": BORROW_RECALLED,
}
