"""What a person reads: the tear sheet and the margin report."""
