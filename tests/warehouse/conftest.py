import pytest

from warehouse import open_lake


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    """One empty lake a module, into which each test puts its rows by hand."""
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        yield con


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A lake that stays empty."""
    with open_lake(tmp_path_factory.mktemp("empty")) as con:
        yield con
