"""Prices, rates and volatilities: checked at the border, stored whole, read without a network."""
