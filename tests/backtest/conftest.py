import pytest

from tests.backtest.data_studies import landed


@pytest.fixture(scope="module")
def studies(lake):
    """Each rule's study, landed in the module's lake."""
    return landed(lake)
