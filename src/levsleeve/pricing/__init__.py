"""What options and daily-reset funds are worth: compiled formulas that know no market data."""
