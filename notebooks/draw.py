"""This module runs every notebook on the demo's lake and writes its picture, the ``.ipynb``.

The ``.py`` is what is reviewed and tested; the ``.ipynb`` holds the same cells with what they
gave.  Figures are kept as pictures too, for viewers that run no script.
"""

import base64
import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PLOTLY = "application/vnd.plotly.v1+json"
DRAW = """
async figure => {
    const made = await Plotly.newPlot('plot', figure.data, figure.layout, {staticPlot: true});
    const {height} = figure.layout;
    return await Plotly.toImage(made, {format: 'png', width: 900, height});
}
"""


def main() -> None:
    """Draw every notebook."""
    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
    os.environ.setdefault("PYTHONPATH", str(HERE.parent))
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = _blank_page(browser.new_page())
        for script in sorted(HERE.glob("*.py")):
            if script.name != Path(__file__).name:
                _draw(script, page)
        browser.close()


def _draw(script: Path, page: Page) -> None:
    notebook = jupytext.read(script)
    NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(HERE.parent)}}
    ).execute()
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # else each drawing would name its cells anew
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            _add_picture(output, page)
    nbformat.write(notebook, script.with_suffix(".ipynb"))
    sys.stdout.write(f"drew {script.with_suffix('.ipynb')}\n")


def _add_picture(output: nbformat.NotebookNode, page: Page) -> None:
    bundle = output.get("data", {})
    if PLOTLY in bundle:
        image = page.evaluate(DRAW, bundle.pop(PLOTLY))
        bundle["image/png"] = image.removeprefix("data:image/png;base64,")
        base64.b64decode(bundle["image/png"], validate=True)
        bundle.pop("text/html", None)


def _blank_page(page: Page) -> Page:
    from plotly.offline import get_plotlyjs

    page.set_content("<div id='plot'></div>")
    page.add_script_tag(content=get_plotlyjs())
    return page


if __name__ == "__main__":
    main()
