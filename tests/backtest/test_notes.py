"""What a reader is told of an account, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from backtest.notes import delay_of
from tests.backtest.made import bars_of

SECOND = np.timedelta64(1_000_000, "us")


@pytest.mark.parametrize(
    ("seconds", "late", "where"),
    [
        (1, 60, "1h bars, for no finer bars are held"),
        (3600, 60, "1h bars, for no finer bars are held"),
        (3601, 120, "1h bars, for no finer bars are held"),
    ],
)
def test_a_decision_waits_for_an_open_and_that_is_said(seconds, late, where):
    bars = bars_of(np.full(4, 100.0))
    said = delay_of(bars, None, seconds * SECOND)
    assert said == (
        f"BTC: a decision that travels {seconds} s is at the venue {late} min after its close, "
        f"at an open of its {where}."
    )


def test_finer_bars_shorten_the_wait():
    bars = bars_of(np.full(4, 100.0))
    fine = replace(bars, interval="5m", width=300 * SECOND)
    said = delay_of(bars, fine, 301 * SECOND)
    assert said.endswith("at the venue 10 min after its close, at an open of its 5m bars.")


def test_at_once_is_not_late():
    assert delay_of(bars_of(np.full(4, 100.0)), None, 0 * SECOND) is None
