"""This module draws the README's pictures: the demo's report in a real browser."""

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZES = {"desktop": (1440, 1560), "phone": (390, 844)}


def main(report: Path = ROOT / "data/demo/report.html") -> None:
    """Draw the report at desktop and phone width."""
    if not report.exists():
        raise SystemExit(f"no report at {report}: run `make demo` first")
    folder = ROOT / "docs/pictures"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(report.resolve().as_uri())
            page.wait_for_selector(".js-plotly-plot .main-svg")
            page.screenshot(path=folder / f"report-{name}.png")
            sys.stdout.write(f"drew {folder / f'report-{name}.png'}\n")
        browser.close()


if __name__ == "__main__":
    main()
