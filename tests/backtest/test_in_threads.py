"""Work spread over threads: no more at once than they can, and no failure is lost."""

import pytest

from backtest.search.spread import in_threads


def test_threads_answer_as_they_are_ready_and_take_no_more_than_they_can():
    taken = []

    def items():
        for item in range(6):
            taken.append(item)
            yield item

    answers = in_threads(lambda item: item * 2, items(), threads=2)
    first = next(answers)
    assert len(taken) <= 4
    assert sorted([first, *answers]) == [0, 2, 4, 6, 8, 10]


def test_what_fails_in_a_thread_fails_here_and_ends_the_rest():
    done = []

    def work_on(item):
        if item == 1:
            raise LookupError("nothing of 1")
        done.append(item)

    with pytest.raises(LookupError, match="nothing of 1"):
        list(in_threads(work_on, range(100), threads=1))
    assert done == [0]
