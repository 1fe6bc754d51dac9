import asyncio
import json

import httpx
import pytest

from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.budget import Budget
from pipelines.sources.info.client import ATTEMPTS, InfoClient


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds
        await asyncio.sleep(0)


def spent_in_any_minute(times):
    return max(sum(w for t, w in times if at <= t < at + 60) for at, _ in times)


def ask(handler, *bodies, budget=None):
    clock, said = Clock(), []

    async def run():
        client = InfoClient(
            "http://venue",
            budget or Budget(clock=clock, sleep=clock.sleep),
            said.append,
            httpx.MockTransport(handler),
            clock.sleep,
            seed=1,
        )
        async with client:
            return await asyncio.gather(*(client.ask(body) for body in bodies)), client

    answers, client = asyncio.run(run())
    return answers, client, clock, said


def test_no_minute_spends_more_than_the_limit():
    times = []
    clock = Clock()
    budget = Budget(1200, 0.1, clock, clock.sleep)

    def handler(request):
        times.append((clock.now, 20))
        return httpx.Response(200, json={})

    answers, *_ = ask(handler, *[{"type": "meta"}] * 300, budget=budget)
    assert len(answers) == 300
    assert spent_in_any_minute(times) <= 1080
    # And no slower than the limit asks for.
    assert clock.now <= budget.seconds_for(300 * 20) + 1


def test_a_budget_without_a_limit_would_be_seen():
    clock = Clock()
    budget = Budget(1200, 0.1, clock, clock.sleep)
    budget.limit = 10**9
    times = []

    def handler(request):
        times.append((clock.now, 20))
        return httpx.Response(200, json={})

    ask(handler, *[{"type": "meta"}] * 300, budget=budget)
    assert spent_in_any_minute(times) > 1200


def test_items_of_an_answer_are_paid_for_afterwards():
    _, client, _, _ = ask(
        lambda request: httpx.Response(200, json=[{}] * 2000), {"type": "userFillsByTime"}
    )
    assert client.budget.spent == 120


def test_a_refusal_pauses_everyone_longer_each_time():
    refusals = [429, 429]
    asked_at = []
    clock = Clock()
    budget = Budget(clock=clock, sleep=clock.sleep)

    def handler(request):
        asked_at.append(clock.now)
        return httpx.Response(refusals.pop() if refusals else 200, json={})

    _, _, _, said = ask(handler, {"type": "meta"}, budget=budget)
    first, second, third = asked_at
    assert second - first >= 10
    assert third - second >= 20
    assert "asked too often (429), pauses 10 s" in said[0]
    assert budget.refusals == 2


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(500),
        httpx.Response(200, content=b'{"cut": '),
        httpx.ReadTimeout("late"),
        httpx.RemoteProtocolError("cut"),
        httpx.ConnectError("gone"),
    ],
    ids=["server", "truncated", "timeout", "cut", "refused"],
)
def test_what_may_pass_is_asked_again(trouble):
    troubles = [trouble] * 2

    def handler(request):
        if troubles:
            wrong = troubles.pop()
            if isinstance(wrong, Exception):
                raise wrong
            return wrong
        return httpx.Response(200, json={"ok": True})

    (answer,), client, _, said = ask(handler, {"type": "meta"})
    assert answer == {"ok": True}
    assert client.repeated == 2
    assert len(said) == 2


def test_what_does_not_pass_ends_with_a_line():
    with pytest.raises(UnreachableError, match=f"http://venue/info meta: .*, {ATTEMPTS} times"):
        ask(lambda request: httpx.Response(503), {"type": "meta"})


def test_a_question_that_is_not_understood_is_not_repeated():
    count = []

    def handler(request):
        count.append(json.loads(request.content))
        return httpx.Response(422, text="Failed to deserialize the JSON body")

    with pytest.raises(SourceError, match="422 Failed to deserialize"):
        ask(handler, {"type": "nonsense"})
    assert count == [{"type": "nonsense"}]


@pytest.mark.parametrize("wrong", [(0, 0.1), (1200, 1.0), (1200, -0.1)])
def test_an_impossible_budget_is_refused(wrong):
    with pytest.raises(ValueError, match="must be at least 1"):
        Budget(*wrong)


def test_a_venue_must_be_a_url():
    with pytest.raises(ValueError, match="must be an http"):
        InfoClient("file:///etc/passwd")


def test_a_budget_outlives_the_loop_it_was_first_used_in():
    """A job asks in one loop after the other; all of them wait for their turn in each."""
    budget = Budget(per_minute=100, reserve=0.0, clock=lambda: 0.0)

    async def all_at_once():
        await asyncio.gather(*(budget.take(1) for _ in range(20)))

    for _ in range(3):
        asyncio.run(all_at_once())
    assert budget.spent == 60
