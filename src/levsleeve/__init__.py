"""Backtests of hedged leveraged-ETF sleeves inside a real margin account."""
