"""What a sleeve is and what it decides: pure functions of what is seen at a close."""
