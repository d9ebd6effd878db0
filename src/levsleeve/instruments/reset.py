"""The trade that a daily-reset fund makes at the close to be at its multiple again."""

from levsleeve.compiled import rule


@rule
def rebalance_trade(multiple: float, index_return: float, assets: float) -> float:
    """Dollars of index exposure that the fund trades at the close to be at its multiple again.

    Positive is a purchase: bull and bear alike buy after a rise and sell after a fall.
    ``assets`` are dollars before the return.

    References
    ----------
    Cheng, M. and Madhavan, A. (2009), Journal of Investment Management 7(4): A L (L - 1) r.
    """
    return assets * multiple * (multiple - 1.0) * index_return
