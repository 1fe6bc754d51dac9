"""Ten thousand harmed payloads for each adapter (150 unless EXAMPLES=thorough)."""

import pytest

from tests.hostile.adapters import ADAPTERS
from tests.hostile.driver import outcomes

each_adapter = pytest.mark.parametrize("name", ADAPTERS)


@each_adapter
def test_a_harmed_payload_is_refused_in_one_line_or_read_as_it_is_read_slowly(name):
    done = outcomes(ADAPTERS[name], seed=list(ADAPTERS).index(name))
    assert done["read"] > 0, "no mutation left a payload that can be read"
    assert done["refused"] > 0, "no mutation harmed a payload"
