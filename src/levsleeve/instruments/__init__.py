"""What can be held: funds and option contracts."""
