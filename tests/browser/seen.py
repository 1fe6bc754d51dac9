"""What can be seen of a page, at the width of a desk and of a phone."""

from contextlib import contextmanager

ALL_DRAWN = """() => [...document.querySelectorAll(".plot")]
    .every((one) => one.offsetParent === null || one.dataset.drawn)"""
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}


@contextmanager
def opened_page(browser, path, width):
    """Yield a drawn page with what it said in the console and what it asked for."""
    wide, high = WIDTHS[width]
    page = browser.new_page(viewport={"width": wide, "height": high})
    trouble, asked = [], []
    page.on("console", lambda said: trouble.append(said.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function(ALL_DRAWN)
    yield page, trouble, asked
    page.close()


def too_wide(page):
    """Return what ends to the right of the page, the figures apart."""
    return page.evaluate(
        """() => [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .filter((one) => !one.closest(".plot"))
        .map((one) => one.outerHTML.slice(0, 120))"""
    )


def has_marks(plot, marks):
    boxes = [mark.bounding_box() for mark in plot.query_selector_all(marks)]
    return any(box and box["width"] * box["height"] > 4 for box in boxes)


def labels_outside(plot):
    """Return the labels of a figure that are cut off at its left or right."""
    frame = plot.bounding_box()
    found = []
    for label in plot.query_selector_all("text"):
        box = label.bounding_box()
        if not box or not box["width"]:
            continue
        left, right = box["x"], box["x"] + box["width"]
        if left < frame["x"] - 1 or right > frame["x"] + frame["width"] + 1:
            found.append(label.text_content())
    return found


def on_each_other(labels):
    """Return pairs of labels that lie on each other."""
    boxes = [(label.text_content(), label.bounding_box()) for label in labels]
    boxes = [(text, box) for text, box in boxes if box and box["width"]]
    return [
        (text, other)
        for place, (text, one) in enumerate(boxes)
        for other, two in boxes[place + 1 :]
        if not (
            one["y"] + one["height"] <= two["y"] + 1
            or two["y"] + two["height"] <= one["y"] + 1
            or one["x"] + one["width"] <= two["x"] + 1
            or two["x"] + two["width"] <= one["x"] + 1
        )
    ]
