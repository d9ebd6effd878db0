"""An account at one instant under the rulebook: what it must keep, and what would call it."""
