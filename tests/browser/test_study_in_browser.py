"""The page of a study in a real browser, at the width of a desk and of a phone."""

from dataclasses import replace

import pytest

from backtest.report import write_backtest_report
from tests.backtest.study_lake import STUDY, fill, findings, swept
from tests.browser.seen import (
    WIDTHS,
    has_marks,
    labels_outside,
    on_each_other,
    opened_page,
    too_wide,
)

pytestmark = pytest.mark.slow
LONG_NAME = "averyveryverylongpackagename.ofsomebody:AVERYVERYVERYLONGCLASS"
MARKS = ".scatterlayer path, .boxlayer path, .hm image, .heatmaplayer image, .heatmaplayer path"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    grid = [(look, stop) for look in (12, 24, 48) for stop in (1.0, 2.0)]
    found = findings()
    found = replace(found, subject=replace(found.subject, rule=LONG_NAME))
    lake = fill(folder / "lake", found, list(swept(grid)))
    return write_backtest_report(lake, STUDY, folder / "r.html")


@pytest.fixture(params=WIDTHS)
def opened(request, browser, written):
    with opened_page(browser, written, request.param) as page:
        yield page


def test_nothing_is_said_in_the_console_and_nothing_is_fetched(opened, written):
    page, trouble, asked = opened
    page.click("summary")
    assert trouble == []
    assert [url for url in asked if not url.startswith("data:")] == [written.as_uri()]


def test_nothing_is_wider_than_the_page(opened):
    page, _, _ = opened
    page.click("summary")
    assert too_wide(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_verdict_can_be_read_without_scrolling(opened):
    page, _, _ = opened
    assert page.inner_text(".conclusion").startswith("No edge is shown")
    box = page.query_selector(".conclusion").bounding_box()
    assert box["y"] + box["height"] < page.viewport_size["height"]


def test_every_figure_shows_marks_and_no_label_is_cut_off(opened):
    page, _, _ = opened
    plots = page.query_selector_all(".plot")
    assert len(plots) == 8
    for plot in plots:
        name = plot.get_attribute("aria-label")
        assert plot.get_attribute("data-drawn"), name
        assert has_marks(plot, MARKS), name
        assert labels_outside(plot) == [], name


def test_labels_of_an_axis_do_not_lie_on_each_other(opened):
    page, _, _ = opened
    for plot in page.query_selector_all(".plot"):
        for kind in (".xtick text", ".ytick text", ".y2tick text", ".annotation-text-g"):
            labels = plot.query_selector_all(kind)
            assert on_each_other(labels) == [], plot.get_attribute("aria-label")


def test_a_phone_stacks_the_rows_of_wide_tables(browser, written):
    with opened_page(browser, written, "phone") as (page, *_):
        wide = page.query_selector_all(".stack")
        assert len(wide) >= 5
        for table in wide:
            assert not table.query_selector("thead").is_visible()


def test_a_link_leads_to_its_section(browser, written):
    with opened_page(browser, written, "desktop") as (page, *_):
        for link in page.query_selector_all("nav a"):
            target = link.get_attribute("href")
            link.click()
            box = page.query_selector(target).bounding_box()
            assert 0 <= box["y"] < page.viewport_size["height"], target
