"""Ten thousand harmed payloads for each adapter (150 unless EXAMPLES=thorough)."""

import dataclasses
import time

import numpy as np
import pytest

from pipelines.sources.errors import SourceError
from tests.hostile import driver
from tests.hostile.adapters import ADAPTERS
from tests.hostile.driver import Hang, outcome, outcomes
from tests.pipelines.hostile_tables import parquet_of
from warehouse.contracts.table import ContractError
from warehouse.contracts.tables import FILLS

each_adapter = pytest.mark.parametrize("name", ADAPTERS)


@each_adapter
def test_a_harmed_payload_is_refused_in_one_line_or_read_as_it_is_read_slowly(name):
    done = outcomes(ADAPTERS[name], seed=list(ADAPTERS).index(name))
    assert done["read"] > 0, "no mutation left a payload that can be read"
    assert done["refused"] > 0, "no mutation harmed a payload"


@each_adapter
def test_what_is_as_documented_is_read(name):
    adapter = ADAPTERS[name]
    body = adapter.payload
    if not isinstance(body, bytes):
        body = parquet_of(body)
    assert outcome(adapter, body) == "read"


def test_a_seed_harms_the_same_payloads_again():
    for adapter in (ADAPTERS["node_fills"], ADAPTERS["reservoir_fills"]):
        first, again = (
            [
                adapter.mutation(np.random.default_rng([1, n]), adapter.payload)
                for n in range(20)
            ]
            for _ in range(2)
        )
        assert first == again
        assert len(set(first)) > 15


GOOD = ADAPTERS["node_fills"]


def told(body):
    raise SourceError(body)


def changed(**values):
    """Return a reader whose first row says something else."""

    def read(body):
        rows = [row | values for row in GOOD.plain(body)]
        return [(FILLS, rows)]

    return read


LEAKS = {
    "another exception": (lambda body: {}["coin"], KeyError),
    "a hang": (lambda body: time.sleep(5), Hang),
    "two lines": (lambda body: told("0.lz4 line 1:\nfield px"), AssertionError),
    "a mark that moves the cursor": (lambda body: told("is \x1b[2J"), AssertionError),
    "a long complaint": (lambda body: told("x" * 5000), AssertionError),
    "a wrong value": (changed(px=1.0), AssertionError),
    "a wrong side": (changed(is_buy=True), AssertionError),
    "a row too few": (lambda body: [(FILLS, GOOD.plain(body)[:1])], AssertionError),
    "a broken promise": (changed(px=-1.0), ContractError),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_seen(leak, monkeypatch):
    read, error = LEAKS[leak]
    monkeypatch.setattr(driver, "SECONDS", 0.2)
    leaky = dataclasses.replace(GOOD, read=read, contract=False)
    with pytest.raises(error):
        outcome(leaky, GOOD.payload)
    # An adapter that reads the same well is not blamed.
    assert outcome(dataclasses.replace(GOOD, read=changed()), GOOD.payload) == "read"
