"""The policy that ``levsleeve margin`` holds an account to: that of a study's sleeve."""

from pathlib import Path

import numpy as np

from levsleeve.backtests.drive import described_sleeve
from levsleeve.backtests.prepare import prepare
from levsleeve.backtests.study import SleeveTable, Study, read_study
from levsleeve.backtests.workspace import Workspace
from levsleeve.data.library import Library
from levsleeve.errors import StudyError
from levsleeve.monitoring.policy_status import PolicyStatus, policy_status
from levsleeve.strategies.limits import Reserve
from levsleeve.strategies.series import worst_moves
from levsleeve.strategies.sleeve import Sleeve
from levsleeve.what_if.status import MarginStatus


def status_under(study_path: Path, name: str | None, status: MarginStatus) -> PolicyStatus:
    """An account under the policy of a study's sleeve; ``name`` may be left out if it is the only.

    Raises
    ------
    StudyError
        If the study has no such sleeve, or several and none is named.
    """
    study = read_study(study_path)
    table = _table_of(study, study_path, name)
    sleeve = described_sleeve(prepare(table, study_path))
    if sleeve is None:
        raise StudyError(
            f"{study_path}: sleeve {table.name}: {table.strategy} decides for itself and has no "
            "policy; a SleeveStrategy is right"
        )
    return policy_status(status, sleeve, table.name, _moves(sleeve, study, study_path, status))


def _table_of(study: Study, study_path: Path, name: str | None) -> SleeveTable:
    """The sleeve of that name, or the only one."""
    known = ", ".join(table.name for table in study.sleeve)
    if name is None and len(study.sleeve) > 1:
        raise StudyError(
            f"{study_path}: it has {len(study.sleeve)} sleeves; --sleeve with one of {known} "
            "is right"
        )
    for table in study.sleeve:
        if name in (None, table.name):
            return table
    raise StudyError(f"{study_path}: sleeve {name}: none of that name; one of {known} is right")


def _moves(
    sleeve: Sleeve, study: Study, study_path: Path, status: MarginStatus
) -> tuple[float, float]:
    """The reserve's fall and rise: numbers, or the worst of the index up to the account's date."""
    reserve = sleeve.reserve or Reserve(fall=0.0, rise=1e-9)
    fall, rise = reserve.fall, reserve.rise
    if isinstance(fall, str) or isinstance(rise, str):
        index = Library.open(Workspace.around(study_path).cache).index(study.benchmark)
        returns = index.total_returns().loc[: status.account.on.isoformat()]
        worst = worst_moves(np.asarray(returns, dtype=np.float64), reserve.reset_sessions)[-1]
        fall = float(worst[0]) if isinstance(fall, str) else fall
        rise = float(worst[1]) if isinstance(rise, str) else rise
    return fall, rise
