"""The report in a real browser: nothing is fetched, nothing breaks, nothing is cut off."""

import shutil

import pytest

from tests.reference.report_lake import fill_lake
from warehouse.report import write_report

pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
LONG_NAME = "averyveryverylongdexname:AVERYVERYVERYLONGCOIN"
MARKS = ".barlayer path, .hm image, .scatterlayer path"


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with api.sync_playwright() as engine:
        started = engine.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    lake = fill_lake(folder / "lake")
    return write_report(lake, folder / "r.html", ["BTC", LONG_NAME])


@pytest.fixture(params=WIDTHS)
def opened(request, browser, report):
    """The report at one width, with what it said and asked for."""
    width, height = WIDTHS[request.param]
    page = browser.new_page(viewport={"width": width, "height": height})
    trouble, asked = [], []
    page.on("console", lambda said: trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    page.wait_for_selector(".plot[data-drawn]")
    yield page, trouble, asked
    page.close()


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
        wide = page.evaluate(
            """() => [...document.querySelectorAll("body *")]
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .filter((one) => !one.closest(".plot"))
            .map((one) => one.outerHTML.slice(0, 120))"""
        )
        assert wide == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_plot_that_can_be_seen_shows_marks_within_its_frame(opened):
    page, _, _ = opened
    plots = [plot for plot in page.query_selector_all(".plot") if plot.is_visible()]
    assert len(plots) == 3
    for plot in plots:
        frame = plot.bounding_box()
        boxes = [mark.bounding_box() for mark in plot.query_selector_all(MARKS)]
        assert any(box and box["width"] * box["height"] > 4 for box in boxes)
        for label in plot.query_selector_all("text"):
            box = label.bounding_box()
            if box and box["width"]:
                assert box["x"] >= frame["x"] - 1
                assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1


def test_labels_of_a_plot_do_not_lie_on_each_other(opened):
    page, _, _ = opened
    plot = page.query_selector(".map .plot")
    boxes = [label.bounding_box() for label in plot.query_selector_all(".annotation-text-g")]
    assert len(boxes) >= 4
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart = (
                one["y"] + one["height"] <= other["y"] + 1
                or other["y"] + other["height"] <= one["y"] + 1
                or one["x"] + one["width"] <= other["x"] + 1
                or other["x"] + other["width"] <= one["x"] + 1
            )
            assert apart


def test_a_tab_shows_its_coin_and_hides_the_others(opened):
    page, _, _ = opened
    tabs = page.query_selector_all("[role=tab]")
    tabs[1].click()
    assert page.is_hidden("#coin-0")
    assert page.is_visible("#coin-1")
    assert tabs[1].get_attribute("aria-selected") == "true"
