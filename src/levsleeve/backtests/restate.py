"""Past prices restated in new shares at a split, so that a split is no signal.

Feeds carry prices as traded, which orders, floors and commissions need; an average over them would
see every split as a crash or a leap.  So on the day of a split the past is shown as a vendor of
live prices shows it from that day on: in new shares, with every indicator as if it had never known
another history.  No later split is known, and the day's own bar stays as traded.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from levsleeve.data.prices import PRICES
from levsleeve.errors import StudyError

LARGEST_COUNT = 10_000
"""No split is worded with more shares than these on either side."""


def restate_history(cerebro: Any, ratios: Mapping[Any, float]) -> None:
    """Restate the past of feeds that split today, and compute every indicator over it anew.

    For a broker's ``next``: Backtrader has then advanced the feeds to the session, and neither its
    indicators nor its strategies.  Past opens, highs, lows and closes are divided by the ratio,
    past volumes multiplied by it.  The indicators of every strategy, those inside others included,
    are computed by Backtrader's own pass over whole arrays; all positions in feeds, indicators and
    observers stay where they were.

    Not restated is what was taken from the prices before: attributes of a strategy, what analyzers
    and observers recorded, a threshold in dollars; nor a feed made from another one (a clone), nor
    a line that is neither price nor volume.  An option slot has no history to compute over: its
    marks arise only as the run goes.

    Parameters
    ----------
    cerebro
        The engine in the middle of its run.
    ratios
        New shares per old by feed.  Each feed's current bar is its first one in new shares.

    Raises
    ------
    StudyError
        If there are indicators and the run is without ``runonce`` and ``preload``.
    """
    has_indicators = any(strategy.getindicators() for strategy in cerebro.runningstrats)
    if has_indicators and not _computes_at_once(cerebro):
        feed, ratio = next(iter(ratios.items()))
        raise StudyError(
            f"cerebro: {feed._name} splits {_worded(ratio)} on {feed.datetime.date(0)}, and "
            "without runonce and preload indicators cannot be restated; cerebro.run() as it is by "
            "default, with no resampled feed and no indicator that forbids runonce, is right"
        )
    for feed, ratio in ratios.items():
        _restate_feed(feed, ratio)
    if has_indicators:
        _compute_again(cerebro)


def require_repeatable(cerebro: Any) -> None:
    """Refuse an indicator that could not be restated, before a run reaches its first split.

    For a broker's first ``next`` of a run with splits ahead.  It computes every indicator once
    more over the unchanged feeds.  Without ``runonce`` and ``preload`` it does nothing.

    Raises
    ------
    StudyError
        If an indicator keeps state outside its lines, so that the second time its values differ.
    """
    if not _computes_at_once(cerebro):
        return
    first = [
        (indicator, line, line.array)
        for strategy in cerebro.runningstrats
        for indicator in _indicators(strategy)
        for line in indicator.lines
    ]
    if first:
        _compute_again(cerebro)
    for indicator, line, array in first:
        if line.array.tobytes() != array.tobytes():
            raise StudyError(
                f"{type(indicator).__name__}: computed a second time over the same prices it gives "
                "other values, so that no split can be restated; an indicator that keeps what it "
                "needs in its lines is right"
            )


def _computes_at_once(cerebro: Any) -> bool:
    """Whether indicators were computed over whole arrays before the first session."""
    return bool(cerebro._dorunonce and cerebro._dopreload)


def _worded(ratio: float) -> str:
    """3:1 for three new shares per old, 1:4 for a reverse split."""
    shares = Fraction(ratio).limit_denominator(LARGEST_COUNT)
    return f"{shares.numerator}:{shares.denominator}"


def _restate_feed(feed: Any, ratio: float) -> None:
    """Write a feed's past, the current bar excluded, in new shares."""
    for name in PRICES:
        line = getattr(feed.lines, name)
        for bar in range(line.idx):
            line.array[bar] /= ratio
    volume = feed.lines.volume
    for bar in range(volume.idx):
        volume.array[bar] *= ratio


def _indicators(owner: Any) -> Iterator[Any]:
    """Every indicator of a strategy or of an indicator, in the order of their computation."""
    for indicator in owner.getindicators():
        yield from _indicators(indicator)
        yield indicator


def _compute_again(cerebro: Any) -> None:
    """Fill the indicators' arrays by Backtrader's own pass, and leave all else as it was.

    The pass also clears strategies and observers and moves every feed, so that all of them get
    their arrays and positions back.
    """
    feeds, strategies = cerebro.datas, cerebro.runningstrats
    recorders = [owner for each in strategies for owner in (each, *each.getobservers())]
    indicators = [indicator for each in strategies for indicator in _indicators(each)]
    recorded = [(line, line.array) for owner in recorders for line in owner.lines]
    places = [
        (line, line.idx, line.lencount)
        for owner in (*feeds, *recorders, *indicators)
        for line in owner.lines
    ]
    ticks = [{k: v for k, v in vars(feed).items() if k.startswith("tick_")} for feed in feeds]
    for owner in (*recorders, *indicators):
        for line in owner.lines:
            line.reset()
    for strategy in strategies:
        strategy._once()
    for line, array in recorded:
        line.array = array
    for line, place, length in places:
        line.idx, line.lencount = place, length
    for feed, tick in zip(feeds, ticks, strict=True):
        vars(feed).update(tick)
