"""The report in a real browser: nothing is fetched, nothing breaks, nothing is cut off."""

import pytest

from tests.backtest.small_lake import land_funding
from tests.browser.seen import (
    WIDTHS,
    has_marks,
    labels_outside,
    on_each_other,
    opened_page,
    too_wide,
)
from tests.reference.report_lake import fill_lake
from warehouse.report import write_report

pytestmark = pytest.mark.slow
LONG_NAME = "averyveryverylongdexname:AVERYVERYVERYLONGCOIN"
MARKS = ".barlayer path, .hm image, .scatterlayer path"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    lake = fill_lake(folder / "lake")
    land_funding(lake, [0.0], coin=LONG_NAME, part="known")  # so that it is
    return write_report(lake, folder / "r.html", ["BTC", LONG_NAME])


@pytest.fixture(params=WIDTHS)
def opened(request, browser, report):
    """The report at one width, with what it said and asked for."""
    with opened_page(browser, report, request.param) as page:
        yield page


def test_nothing_is_said_in_the_console_and_nothing_is_fetched(opened, report):
    page, trouble, asked = opened
    for tab in page.query_selector_all("[role=tab]"):
        tab.click()
    assert trouble == []
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]


def test_nothing_is_wider_than_the_page(opened):
    page, _, _ = opened
    for tab in page.query_selector_all("[role=tab]"):
        tab.click()
        assert too_wide(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_plot_that_can_be_seen_shows_marks_within_its_frame(opened):
    page, _, _ = opened
    plots = [plot for plot in page.query_selector_all(".plot") if plot.is_visible()]
    assert len(plots) == 3
    for plot in plots:
        assert has_marks(plot, MARKS)
        assert labels_outside(plot) == []


def test_labels_of_a_plot_do_not_lie_on_each_other(opened):
    page, _, _ = opened
    labels = page.query_selector_all(".map .plot .annotation-text-g")
    assert len(labels) >= 4
    assert on_each_other(labels) == []


def test_a_tab_shows_its_coin_and_hides_the_others(opened):
    page, _, _ = opened
    tabs = page.query_selector_all("[role=tab]")
    tabs[1].click()
    assert page.is_hidden("#coin-0")
    assert page.is_visible("#coin-1")
    assert tabs[1].get_attribute("aria-selected") == "true"
