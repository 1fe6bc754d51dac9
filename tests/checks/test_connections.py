"""Connections are kept for the next landing, but those that hold on to much memory."""

import pytest

from tests.rows import batch, land_snapshot, position, snapshot
from warehouse.checks import connections, guarded, run_checks
from warehouse.contracts.tables import POSITIONS, SNAPSHOTS


@pytest.fixture
def idle(monkeypatch):
    """What waits to be lent, none at first."""
    waiting = []
    monkeypatch.setattr(connections, "_idle", waiting)
    yield waiting
    for con in waiting:
        con.close()


def test_a_connection_is_lent_again(idle):
    with connections.borrowed(connections.MUCH - 1) as con:
        assert idle == []
    with connections.borrowed(0) as again:
        assert again is con


def test_one_that_read_much_is_closed(idle):
    with connections.borrowed(0):
        pass
    with connections.borrowed(connections.MUCH) as con:
        pass
    assert idle == []
    with pytest.raises(Exception, match="closed"):
        con.execute("select 1")


@pytest.mark.parametrize(("much", "kept"), [(3, 1), (2, 0)])
def test_what_checks_may_read_is_told_by_the_ledger(tmp_path, idle, monkeypatch, much, kept):
    """A lake of one position and its summary."""
    monkeypatch.setattr(connections, "MUCH", much)
    land_snapshot(tmp_path, [position()])
    run_checks(tmp_path)
    assert len(idle) == kept


def test_what_a_large_landing_was_checked_with_is_closed(tmp_path, idle, monkeypatch):
    monkeypatch.setattr(connections, "MUCH", 2)
    lent = []
    opened = connections._opened
    monkeypatch.setattr(connections, "_opened", lambda: lent.append(opened()) or lent[-1])
    with guarded(tmp_path) as batches:
        batches.land(POSITIONS, batch(POSITIONS, [position()]), "two")
        batches.land(SNAPSHOTS, batch(SNAPSHOTS, [snapshot(rows=[position()])]), "two")
    assert lent[0] not in idle
