"""A sleeve's orders through Backtrader: what it decides anew replaces what still waits."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from tests.end_to_end.accounts import FREE, events_of, fills_of, market_of, run_plan

from levsleeve import Holding, OptionContract, Sleeve, SleeveStrategy
from levsleeve.backtests import compiled_driver
from levsleeve.backtests.account_table import AccountTable
from levsleeve.backtests.broker import MarginBroker
from levsleeve.backtests.compiled_driver import run_compiled
from levsleeve.backtests.driver import run_market
from levsleeve.backtests.market import Market
from levsleeve.backtests.sleeve_market import Setting
from levsleeve.backtests.sleeve_run import SleeveRun, first_difference

NAN = float("nan")
DAILY = Sleeve(holdings=(Holding("UPRO", 0.5), Holding("SSO", 0.3)), cap=0.9, rebalance="daily")


class Daily(SleeveStrategy):
    """Half in UPRO, three tenths in SSO, set anew each day."""

    @classmethod
    def describe(cls, parameters: Any) -> Sleeve:  # noqa: ARG003
        return DAILY


def lived(market: Market, fill: str = "next_close") -> MarginBroker:
    """The sleeve through both drivers, which must agree; the broker of Backtrader's."""
    table = AccountTable.model_validate({"cash_usd": 10_000.0, "fill": fill})
    broker = MarginBroker(market=market, account=table, terms=FREE, on_shortfall="cut")
    run_market(Daily, {}, market, broker)
    reference = SleeveRun(broker.account, broker.ledger.frame(), broker.event_rows)
    compiled = run_compiled(Setting(market, FREE, table), DAILY)
    assert first_difference(reference, compiled, market.symbols) == ""
    return broker


def test_a_fund_without_a_price_is_ordered_once_however_long_it_waits() -> None:
    gone = [50.0, 50.0, NAN, NAN, NAN, 40.0, 40.0]
    broker = lived(market_of({"UPRO": gone, "SSO": [20.0, 20.0, 30.0, 30.0, 30.0, 30.0, 30.0]}))
    filled = events_of(broker, "order_filled")
    upro = filled[filled["symbol"] == "UPRO"]
    # 100 at once. SSO's gain asks for 115 then, but the order waits: at 40, decided at its last
    # close, one order for the whole difference follows, and only one.
    assert upro["shares"].tolist()[0] == 100.0
    assert len(upro[upro["session"] == broker.market.sessions[5]]) <= 1
    equity = broker.ledger.frame()["equity"].to_numpy()
    assert broker.account.book.shares[0] == int(0.5 * equity[5] / 40.0)


def test_an_option_order_that_outlives_its_contract_is_refused_with_an_event() -> None:
    closes = [100.0, 100.0, NAN, NAN, 100.0, 100.0]
    put = OptionContract("UPRO", "put", 90.0, date(2019, 6, 6))  # the fourth session
    plan = [(1, "UPRO:put", 2.0, put)]
    broker = run_plan(market_of({"UPRO": closes}), plan, cash=10_000.0, slots=("UPRO:put",))
    (refused,) = events_of(broker, "order_refused").itertuples()
    assert refused.symbol == "UPRO 2019-06-06 90 put"
    assert refused.why == "the option expired while the order waited for a price"
    assert (refused.before, refused.after) == (200.0, 0.0)
    assert fills_of(broker) == []
    assert not broker.account.book.slots.any()
    assert broker.account.money[0] == 10_000.0


def _nothing(*_: object, **__: object) -> None:
    """A method of a user's own."""


def test_only_a_subclass_that_describes_a_sleeve_is_compiled() -> None:
    assert not SleeveStrategy.acts_by_itself()
    assert not Daily.acts_by_itself()
    for hook in ("next", "notify_trade", "stop", "__init__", "buy", "run_needs", "described"):
        own: Any = type("Own", (Daily,), {hook: _nothing})
        assert own.acts_by_itself(), hook


@pytest.mark.parametrize("fill", ["next_close", "same_close"])
def test_the_last_close_orders_nothing_that_could_fill(fill: str) -> None:
    broker = lived(market_of({"UPRO": [50.0] * 3, "SSO": [20.0] * 3}), fill)
    sessions = events_of(broker, "order_filled")["session"]
    assert set(sessions) == {broker.market.sessions[0 if fill == "same_close" else 1]}
    assert np.isfinite(broker.ledger.frame().to_numpy()[:, :5]).all()


def test_a_run_with_more_events_than_room_for_them_tells_them_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closes = {"UPRO": [50.0, 52.0, 49.0, 47.0, 53.0], "SSO": [20.0, 19.0, 22.0, 21.0, 20.0]}
    setting = Setting(market_of(closes), FREE, AccountTable(cash_usd=10_000.0))
    plenty = run_compiled(setting, DAILY)
    monkeypatch.setattr(compiled_driver, "EVENTS_A_SESSION", 1)
    scarce = run_compiled(setting, DAILY)
    assert len(plenty.event_rows) > len(closes["UPRO"])
    assert first_difference(plenty, scarce, setting.market.symbols) == ""


@pytest.mark.parametrize("fill", ["next_close", "same_close"])
def test_a_split_restates_an_order_that_waits_for_a_price(fill: str) -> None:
    # UPRO has no price from the close on at which SSO's fall asks for more of it, and splits then.
    market = market_of(
        {"UPRO": [50.0, 50.0, NAN, NAN, 26.0, 26.0], "SSO": [20.0, 20.0, 10.0, 10.0, 10.0, 10.0]},
        splits={"UPRO": {3: 2.0}},
    )
    broker = lived(market, fill)
    assert broker.ledger.frame()["equity"].iloc[-1] > 0.0
