"""Broker profiles: which switches, house rates, interest and commissions a broker has, as data.

Bundled ones are named (``finra``, ``ibkr``, ...); a user's own is a TOML file with the same keys.
"""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from levsleeve.errors import LevsleeveError, StudyError
from levsleeve.margin.charges import commission_plan, financing_plan
from levsleeve.margin.plan_tables import BorrowTable, CommissionTable, FinancingTable
from levsleeve.margin.policy import Overlay, Policy
from levsleeve.strict_table import StrictTable, in_words, user_text

DEFAULT_PROFILE = "finra"


class Profile(StrictTable):
    """A broker: ``house`` overlays its own rates on the rules.

    ``financing_plan`` and ``commission_plan`` are tables of the user's own plans by name, in the
    form of the bundled ones; ``financing`` and ``commission`` name the plan in force.
    """

    title: str = ""
    source: str
    standing: str
    financing: str = "ibkr"
    commission: str = "ibkr_fixed"
    policy: Policy = Field(default_factory=Policy)
    house: Annotated[tuple[Overlay, ...], Field(strict=False)] = ()
    financing_plan: dict[str, FinancingTable] = Field(default_factory=dict)
    commission_plan: dict[str, CommissionTable] = Field(default_factory=dict)
    borrow: BorrowTable | None = None


def profile_names() -> list[str]:
    """The names of the bundled profiles."""
    folder = files("levsleeve.margin").joinpath("profiles")
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.is_file())


def load_profile(name: str, beside: Path | None = None) -> Profile:
    """A bundled profile by name, or the user's own by the path of its TOML file.

    ``beside`` is the folder that a relative path starts from; None is the current one.

    Raises
    ------
    StudyError
        If there is none, or the file is not a profile.
    """
    if not name.endswith(".toml"):
        if name not in profile_names():
            raise StudyError(
                f"{name}: no broker profile of that name; known are "
                f"{', '.join(profile_names())}, or the path of a TOML file"
            )
        bundled = files("levsleeve.margin").joinpath("profiles", f"{name}.toml")
        return _checked(name, bundled.read_text(encoding="utf-8"))
    path = (beside or Path()) / name
    text = user_text(path, "a broker profile is a TOML file", StudyError)
    return _checked(str(path), text)


def _checked(subject: str, text: str) -> Profile:
    """Parse a profile, and look its plans up, naming it in any refusal."""
    try:
        profile = Profile.model_validate(tomllib.loads(text))
        financing_plan(profile.financing, profile.financing_plan)
        commission_plan(profile.commission, profile.commission_plan)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{subject}: not TOML: {error}") from None
    except ValidationError as error:
        raise StudyError(f"{subject}: {in_words(error, Profile)}") from None
    except LevsleeveError as error:
        raise StudyError(f"{subject}: {error}") from error
    return profile
