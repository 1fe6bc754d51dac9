"""Who follows a node and is killed goes on where it was; the node writes on meanwhile.

How the lines are cut into parts depends on when it was killed, so rows are compared.
"""

from datetime import timedelta

import pytest

from tests.kill.case import Case, Folders
from tests.pipelines.data_fills import HOUR, NOON, block, body_of, fill

pytestmark = pytest.mark.slow


def pieces():
    """Yield what the node writes between looks: file, where it stands, its bytes.

    Some pieces end within a line, one file follows another, and one is late.
    """
    at = {NOON: 0, NOON + HOUR: 0}
    for hour, tids in ((NOON, (1, 2, 3)), (NOON + HOUR, (4, 5)), (NOON, (6,))):
        when = hour + timedelta(seconds=1)
        body = body_of([block(fill(when, tid=tid)) for tid in tids]).decode()
        for text in (body[:300], body[300:]):
            start, end = at[hour], at[hour] + len(text)
            path = f"node_fills_by_block/hourly/{hour:%Y%m%d}/{hour.hour}"
            yield path, start, end, text
            at[hour] = end


@pytest.fixture(scope="module")
def case(server, tmp_path_factory):
    lakes = Folders(tmp_path_factory.mktemp("tail"))
    script = list(pieces())

    def about(lake):
        node = lakes.place("start").parent.parent / lake.split("/")[-2] / "node"
        (node / script[0][0]).parent.mkdir(parents=True, exist_ok=True)
        (node / script[0][0]).touch()
        return {"node": str(node), "script": script}

    return Case(server, lakes, "follow", about=about, at=f"{NOON.isoformat()}", rows=True)


def test_every_line_is_landed_once_in_several_looks(case):
    assert case.states[-1]["fills"][0] == 6
    assert len(case.states) > 3


def test_killed_at_any_step_it_goes_on_where_it_was(case):
    case.hold_steps(2, 80)


def test_killed_at_any_time_it_goes_on_where_it_was(case):
    case.hold_times(1, 15)
