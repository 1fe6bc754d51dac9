"""What several processes ask of one venue stays below its limit, all together."""

import asyncio
import json
import os
import subprocess
import sys
import time

import httpx
import pytest

from pipelines.sources.info import budget as module
from pipelines.sources.info import shared_window
from pipelines.sources.info.budget import Budget, budget_for
from pipelines.sources.info.client import InfoClient
from pipelines.sources.info.shared_window import OLD, SharedWindow, window_of
from pipelines.sources.info.window import OwnWindow, Taken

ASKER = """
import asyncio, json, sys, time
from pathlib import Path
from pipelines.sources.info import budget
from pipelines.sources.info.shared_window import SharedWindow

budget.WINDOW = {window}
asker = budget.Budget({limit}, 0.0, window=SharedWindow(Path({file!r})))
went, end = [], time.monotonic() + {seconds}

async def ask():
    while time.monotonic() < end:
        taken = await asker.take({weight})
        went.append((time.monotonic(), taken.weight))

async def all_of_them():
    await asyncio.gather(ask(), ask())

asyncio.run(all_of_them())
print(json.dumps(went))
"""
LENGTH, LIMIT = 1.0, 100


def asker(file, weight, seconds=4.0):
    """Start a process that spends as much as it may for some seconds."""
    code = ASKER.format(
        window=LENGTH, limit=LIMIT, file=str(file), seconds=seconds, weight=weight
    )
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def went(process):
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(said)


def most_in_any(length, spent):
    return max(sum(w for t, w in spent if at <= t < at + length) for at, _ in spent)


@pytest.mark.slow
def test_two_processes_stay_below_one_limit_and_both_get_their_turn(tmp_path):
    light, heavy = asker(tmp_path / "venue", 2), asker(tmp_path / "venue", 20)
    of_light, of_heavy = went(light), went(heavy)
    assert most_in_any(LENGTH, of_light + of_heavy) <= LIMIT
    # Who asks for much is not kept out by who asks for little, and the limit is used.
    assert len(of_heavy) > 5
    assert len(of_light) > 5
    spent = sum(w for _, w in of_light + of_heavy)
    assert spent > 2 * LIMIT


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_the_budget_to_others(tmp_path):
    killed = asker(tmp_path / "venue", 20, seconds=60.0)
    time.sleep(1.5)
    killed.kill()
    killed.communicate()
    assert len(went(asker(tmp_path / "venue", 20, seconds=2.5))) > 3


class Clock:
    """Time that passes when somebody sleeps, since the machine started."""

    def __init__(self):
        self.now = time.monotonic()

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)


def two(tmp_path, limit=100):
    """Return two budgets of one file, as two processes have them, and their clock."""
    clock = Clock()
    made = [
        Budget(limit, 0.0, clock, clock.sleep, SharedWindow(tmp_path / "venue"))
        for _ in range(2)
    ]
    return *made, clock


def test_what_one_has_spent_the_other_waits_for(tmp_path):
    one, two_, clock = two(tmp_path)
    began = clock.now

    async def both():
        for budget in (one, two_) * 3:
            await budget.take(40)

    asyncio.run(both())
    assert one.spent == two_.spent == 120
    assert 120 <= clock.now - began < 121
    assert one.held == two_.held == 80


def test_budgets_that_share_nothing_would_be_seen(tmp_path):
    clock = Clock()
    began = clock.now
    budgets = [Budget(100, 0.0, clock, clock.sleep) for _ in range(2)]

    async def both():
        for budget in budgets * 2:
            await budget.take(40)

    asyncio.run(both())
    assert clock.now == began


def test_a_refusal_pauses_the_other_process_too(tmp_path):
    one, two_, clock = two(tmp_path)
    began = clock.now
    assert one.refused() == module.FIRST_PAUSE
    asyncio.run(two_.take(1))
    assert clock.now - began >= module.FIRST_PAUSE
    # The venue says no again: the pause is twice as long, whoever asked.
    assert two_.refused() == 2 * module.FIRST_PAUSE


def test_a_pause_that_begins_while_somebody_waits_holds_for_them(tmp_path):
    one, two_, clock = two(tmp_path)
    began = clock.now

    async def sleep(seconds):
        await clock.sleep(seconds)
        if one.refusals == 0:
            one.refused()

    two_._sleep = sleep

    async def waits():
        await one.take(100)
        await two_.take(100)

    asyncio.run(waits())
    assert clock.now - began >= 60 + module.FIRST_PAUSE
    assert two_.held == 100


def test_weight_that_was_set_aside_and_not_used_is_given_back(tmp_path):
    one, two_, clock = two(tmp_path)
    began = clock.now

    async def asked():
        taken = await one.take(100)
        one.settle(taken, 20, answered=True)
        await two_.take(80)

    asyncio.run(asked())
    assert (one.spent, two_.spent, one.held) == (20, 80, 100)
    assert clock.now == began


def test_who_gives_up_waiting_leaves_nothing_behind(tmp_path):
    one, two_, _ = two(tmp_path)
    one._sleep = asyncio.sleep

    async def impatient():
        await two_.take(100)
        async with asyncio.timeout(0.05):
            await one.take(50)

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert (one.held, one.spent) == (100, 0)


def test_answers_are_paid_for_before_they_come(tmp_path):
    """Eight long answers at once would else lie beyond the limit when they have come."""
    clock, asked = Clock(), []
    budget = Budget(1200, 0.1, clock, clock.sleep)

    async def answer(request):
        asked.append((clock.now, 20 + 100))
        for _ in range(50):
            await asyncio.sleep(0)  # others ask meanwhile
        return httpx.Response(200, json=[{}] * 2000)

    async def ask():
        async with InfoClient(
            "http://venue", budget, transport=httpx.MockTransport(answer), sleep=clock.sleep
        ) as client:
            question = {"type": "userFillsByTime", "user": "0x1"}
            await asyncio.gather(*(client.ask(question) for _ in range(40)))

    asyncio.run(ask())
    assert len(asked) == 40
    assert most_in_any(60, asked) <= 1080


def test_a_question_is_counted_in_the_minute_in_which_it_is_asked():
    """Answers that take long hold questions back; these are not asked all at once then."""
    clock, asked = Clock(), []
    budget = Budget(1200, 0.1, clock, clock.sleep)

    async def slow(request):
        asked.append((clock.now, 20))
        if len(asked) <= 8:
            await clock.sleep(90)
        return httpx.Response(200, json={})

    async def ask():
        async with InfoClient(
            "http://venue", budget, transport=httpx.MockTransport(slow), sleep=clock.sleep
        ) as client:
            await asyncio.gather(*(client.ask({"type": "meta"}) for _ in range(300)))

    asyncio.run(ask())
    assert most_in_any(60, asked) <= 1080


def test_what_was_written_before_the_machine_started_is_dropped(tmp_path):
    window = SharedWindow(tmp_path / "venue")
    with window.opened() as before:
        before.put(Taken(time.monotonic() + 10**6, 1000))
        before.paused_until = time.monotonic() + 10**6
    budget = Budget(window=window)
    assert budget.held == 0
    asyncio.run(asyncio.wait_for(budget.take(20), 5))


@pytest.mark.parametrize("body", [b"", b"x", b"x" * 1001], ids=["empty", "short", "nonsense"])
def test_a_file_that_is_damaged_holds_nobody_up(tmp_path, body):
    (tmp_path / "venue").write_bytes(body)
    budget = Budget(window=SharedWindow(tmp_path / "venue"))
    asyncio.run(asyncio.wait_for(budget.take(20), 5))
    assert budget.held == 20


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_said(tmp_path):
    tmp_path.chmod(0o500)
    window, alone = window_of("https://venue", tmp_path / "asked")
    assert isinstance(window, OwnWindow)
    assert "Permission denied" in alone


def test_a_file_in_the_place_of_the_cache_is_said(tmp_path):
    (tmp_path / "asked").write_text("")
    window, alone = window_of("https://venue", tmp_path / "asked")
    assert isinstance(window, OwnWindow)
    assert alone == f"{tmp_path / 'asked'}: File exists"


def test_each_venue_has_its_file_and_old_ones_go(tmp_path):
    window_of("http://127.0.0.1:3001", tmp_path)
    window_of("https://me:secret@api.venue.xyz/", tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"127.0.0.1-3001", "api.venue.xyz"}
    before = time.time() - OLD - 1
    os.utime(tmp_path / "127.0.0.1-3001", (before, before))
    window_of("https://api.venue.xyz", tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"api.venue.xyz"}


def test_a_file_that_goes_while_it_is_opened_is_made_again(tmp_path, monkeypatch):
    window = SharedWindow(tmp_path / "venue")
    lock, gone = shared_window.fcntl.flock, []

    def flock(place, how):
        if not gone:
            gone.append((tmp_path / "venue").unlink())
        lock(place, how)

    monkeypatch.setattr(shared_window.fcntl, "flock", flock)
    with window.opened() as opened:
        opened.put(Taken(time.monotonic(), 7))
    with SharedWindow(tmp_path / "venue").opened() as opened:
        assert opened.held == 7


def test_everything_that_asks_one_venue_shares_a_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERTOW_ASKED", str(tmp_path / "asked"))
    monkeypatch.setattr(module, "_BUDGETS", {})
    one = budget_for("https://venue.test/", 0.1)
    assert budget_for("https://venue.test", 0.5) is one
    assert (one.limit, one.alone) == (600, None)
    assert (tmp_path / "asked/venue.test").exists()


def test_a_budget_lies_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("UNDERTOW_ASKED")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "_BUDGETS", {})
    budget_for("https://venue.test", 0.1)
    assert (tmp_path / "undertow/asked/venue.test").exists()
