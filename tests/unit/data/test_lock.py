import sys
from pathlib import Path

import pytest

from levsleeve.data.lock import only_writer

if sys.platform == "win32":
    pytest.skip("no advisory locks", allow_module_level=True)

import fcntl


def test_a_second_writer_has_to_wait_until_the_first_is_done(tmp_path: Path) -> None:
    with (tmp_path / ".lock").open("a") as other:
        with only_writer(tmp_path), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_writer_that_fails_frees_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), only_writer(tmp_path):
        raise ZeroDivisionError
    with only_writer(tmp_path):
        assert (tmp_path / ".lock").exists()
