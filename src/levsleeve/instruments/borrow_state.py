"""Whether the shares of a fund can be borrowed on a session."""

BORROW_AVAILABLE = 0.0
"""They can."""
BORROW_UNAVAILABLE = 1.0
"""No new short sale; what is short stays so."""
BORROW_RECALLED = 2.0
"""No new short sale, and the lender has what is short bought in."""
