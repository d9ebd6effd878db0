"""Settings of Backtrader's own broker that a margin account would ignore: refused by name."""

from typing import Never

import backtrader as bt

from levsleeve.errors import StudyError

COMMISSION = "account={'commission': PLAN} charges a plan"
SLIPPAGE = "account={'fund_slippage_rate': FRACTION} charges it"


class RefusedSettings(bt.brokers.BackBroker):
    """A broker whose costs, fills and checks are those of its account."""

    session: int = -1

    def setcommission(self, *_given: object, **_named: object) -> Never:
        """Charges are the account's."""
        _refuse("setcommission", COMMISSION)

    def addcommissioninfo(self, *_given: object, **_named: object) -> Never:
        """Charges are the account's."""
        _refuse("addcommissioninfo", COMMISSION)

    def set_slippage_perc(self, *_given: object, **_named: object) -> Never:
        """Slippage is the account's."""
        _refuse("set_slippage_perc", SLIPPAGE)

    def set_slippage_fixed(self, *_given: object, **_named: object) -> Never:
        """Slippage is the account's."""
        _refuse("set_slippage_fixed", SLIPPAGE)

    def set_coc(self, *_given: object, **_named: object) -> Never:
        """Where orders fill is the account's."""
        _refuse("set_coc", "account={'fill': 'same_close'} fills at the close of the decision")

    def set_coo(self, *_given: object, **_named: object) -> Never:
        """Where orders fill is the account's."""
        _refuse("set_coo", "account={'fill': 'next_open'} fills at the next open")

    def set_filler(self, *_given: object, **_named: object) -> Never:
        """Volume bounds no fill."""
        _refuse("set_filler", "an order fills whole, or as far as available funds go")

    def set_shortcash(self, *_given: object, **_named: object) -> Never:
        """Short proceeds are cash."""
        _refuse("set_shortcash", "short proceeds are cash that secures the borrowed shares")

    def set_eosbar(self, *_given: object, **_named: object) -> Never:
        """Bars are daily."""
        _refuse("set_eosbar", "bars are daily, each its own session")

    def set_int2pnl(self, *_given: object, **_named: object) -> Never:
        """Interest is a flow of its own."""
        _refuse("set_int2pnl", "interest is a column of the ledger, not part of a trade's profit")

    def set_checksubmit(self, *_given: object, **_named: object) -> Never:
        """Orders are tested when they fill."""
        _refuse("set_checksubmit", "every order is tested when it fills")

    def set_cash(self, cash: float) -> None:
        """Dollars to start with, before the run; a strategy deposits with ``add_cash``.

        Raises
        ------
        StudyError
            In the middle of a run.
        """
        if self.session >= 0:
            raise StudyError("setcash: the run has begun; add_cash(DOLLARS) deposits")
        super().set_cash(cash)

    setcash = set_cash


def _refuse(name: str, instead: str) -> Never:
    """Say what does it here."""
    raise StudyError(f"{name}: the margin broker does not take it; {instead}")
