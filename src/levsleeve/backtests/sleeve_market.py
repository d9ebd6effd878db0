"""The market that one sleeve of a study trades in, with its rules and its broker's terms."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from levsleeve.backtests.account_market import market_of_account
from levsleeve.backtests.account_table import AccountTable
from levsleeve.backtests.market import Market, build_market
from levsleeve.backtests.needs import Needs
from levsleeve.backtests.state import Terms
from levsleeve.backtests.study import Study
from levsleeve.data.library import Library
from levsleeve.errors import LevsleeveError, StudyError
from levsleeve.margin.profile import load_profile
from levsleeve.margin.rulebook import Rulebook, rulebook


@dataclass(frozen=True)
class Setting:
    """Where sleeves run: the market, the broker's terms, the account that each begins with.

    ``cuts`` says whether an opening that available funds do not cover is cut; otherwise refused.
    """

    market: Market
    terms: Terms
    account: AccountTable
    cuts: bool = True


def setting_of_sleeve(study: Study, study_path: Path, needs: Needs, library: Library) -> Setting:
    """The setting that a study makes for one of its sleeves.

    Raises
    ------
    StudyError
        If a fund or a price is missing, naming the study file.
    """
    market = market_of_sleeve(study, study_path, needs, library)
    profile, model = market.rulebook.profile, study.volatility_model
    terms = study.account.terms(profile, market.symbols, model)
    return Setting(market, terms, study.account, cuts=needs.on_shortfall == "cut")


def rulebook_of(study: Study, study_path: Path) -> Rulebook:
    """The rulebook of a study: its broker's profile, its own switches, its date of the rules.

    Raises
    ------
    StudyError
        Naming the study file.
    """
    rules_as_of = study.rules_as_of if isinstance(study.rules_as_of, date) else None
    try:
        profile = load_profile(study.account.profile, study_path.parent)
        return rulebook(profile, study.account.policy, rules_as_of)
    except LevsleeveError as error:
        raise StudyError(f"{study_path}: account: {error}") from error


def market_of_sleeve(study: Study, study_path: Path, needs: Needs, library: Library) -> Market:
    """The Market that a sleeve of a study trades in.

    Raises
    ------
    StudyError
        If a fund or a price is missing, naming the study file.
    """
    rules = rulebook_of(study, study_path)
    try:
        market = build_market(
            library, needs.funds, (study.start, study.end), rules, study.benchmark
        )
        market = market_of_account(market, study.account, study_path.parent)
        _refuse_unpriced(needs, market)
    except LevsleeveError as error:
        raise StudyError(f"{study_path}: {error}") from error
    return market


def _refuse_unpriced(needs: Needs, market: Market) -> None:
    """An option needs a volatility on every session from the first."""
    if needs.slots and np.isnan(market.tape.volatility).any():
        priced = market.sessions[~np.isnan(market.tape.volatility)]
        first = f"{priced[0]:%Y-%m-%d}" if len(priced) else "no session at all"
        raise StudyError(
            f"start: {market.sessions[0]:%Y-%m-%d} has no implied volatility, so options cannot "
            f"be priced; it starts {first}"
        )
