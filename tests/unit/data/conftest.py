"""The bundled data, imported once."""

import pytest

from levsleeve.data.library import Library


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library.open(tmp_path_factory.mktemp("bundled"))
