"""Capacity where an order's own slippage carries it past its levels, by hand."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from backtest.findings.capacity import capacity
from backtest.report.capacity import capacity_section
from backtest.runs import run
from backtest.slippage import Slippage
from backtest.terms import Terms
from tests.backtest.made import FREE, At, tape_of
from tests.backtest.study_lake import findings
from warehouse.report.plots import Plots

FLAT = np.full(60, 100.0)
CHARGED = Terms(replace(FREE.costs, slippage="charged"))


def giving_up(small, large):
    """What orders of 100 and of 10,000 USD give up; beyond it is by the root."""
    rows = np.zeros(60, np.int64)
    return Slippage(np.array([1e2, 1e4]), np.array([[[small, large]] * 2]), rows, rows, "-")


def capacity_of(law, terms=CHARGED, rows=(10,), **levels):
    tape = tape_of(FLAT, terms, law)
    (own,) = run(tape, At(rows=rows), ("pessimistic",))
    return capacity([tape], [replace(own, decisions=own.decisions.but(**levels))])


def test_an_order_that_moves_the_price_beyond_its_own_target_is_filled_and_pays_for_it():
    """Bought at 101 and more with a target of 100.5, never reached: sold a bar later."""
    found = capacity_of(giving_up(0.01, 0.01), target_px=100.5)
    assert (found.filled, found.attempts) == ((1,) * 5, (1,) * 5)
    # 1 % each way up to 10,000 USD, then by the root.
    paid = [0.01, 0.01, 0.01, 0.01 * 10**0.5, 0.1]
    wanted = [(1 - lost) / (1 + lost) - 1 for lost in paid]
    # What is sold is worth less than what was bought, and gives up a little less.
    assert found.mean == pytest.approx(wanted, rel=0.03)


def test_a_tighter_stop_leaves_no_size_without_its_loss():
    """A stop at 0.5 % is passed by the slippage of the largest: it pays, and earns no 0."""
    found = capacity_of(giving_up(1e-4, 1e-3), stop_fraction=0.005)
    assert found.filled == found.attempts == (1,) * 5
    assert all(larger < smaller for smaller, larger in pairwise(found.mean))


def test_what_an_account_can_no_longer_carry_is_told_from_what_it_lost():
    """Two orders of nearly all that it has: the large ones lose too much with the first."""
    terms = replace(CHARGED, leverage=1.0, start_equity=1_050.0)
    found = capacity_of(giving_up(0.01, 0.01), terms, rows=(10, 30))
    assert found.attempts == (2,) * 5
    assert found.filled == (2, 2, 2, 1, 1)
    # What was refused would make the mean half of what the one that was filled lost.
    assert found.mean[2:] == pytest.approx([-0.02, -0.06, -0.18], rel=0.04)


def test_a_report_says_how_many_were_filled_where_sizes_differ():
    found = findings().capacity
    alike = str(capacity_section(findings(), Plots()))
    assert "Filled" not in alike
    assert "is stopped out at once where that carries it past its own stop" in alike
    other = replace(found, filled=(2, 2, 1), attempts=(2, 2, 3))
    said = str(capacity_section(replace(findings(), capacity=other), Plots()))
    assert "Filled" in said
    assert "1 of 3" in said
    assert "is in no mean where only at this size the venue refuses it" in said
