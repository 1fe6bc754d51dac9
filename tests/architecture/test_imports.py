"""The arrows between packages, what may be imported when, and rules that hold everywhere."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("pipelines", "warehouse", "backtest")
MODULES = sorted(path for name in PACKAGES for path in ROOT.joinpath(name).rglob("*.py"))
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))


def lint(tmp_path, config):
    file = tmp_path / "pyproject.toml"
    file.write_text(config)
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(file)]
    return subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)


def test_layers_hold(tmp_path):
    done = lint(tmp_path, ROOT.joinpath("pyproject.toml").read_text())
    assert done.returncode == 0, done.stdout


def test_a_broken_layer_would_be_seen(tmp_path):
    """Turn the arrow round: the linter must complain."""
    config = ROOT.joinpath("pyproject.toml").read_text()
    arrow = 'layers = ["pipelines | backtest", "warehouse"]'
    assert arrow in config
    turned = config.replace(arrow, 'layers = ["warehouse", "pipelines | backtest"]')
    assert lint(tmp_path, turned).returncode == 1


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("undertow", "duckdb polars pyarrow numba numpy prefect vectorbt plotly"),
        ("warehouse.contracts.tables", "duckdb polars numba"),
        ("warehouse.catalog", "prefect vectorbt plotly numba"),
        ("pipelines.jobs.job", "prefect vectorbt plotly"),
        ("backtest.study", "prefect vectorbt plotly arch"),
        ("backtest.statistics.superiority", "arch statsmodels pandas"),
        ("pipelines.cli", "duckdb polars prefect"),
        ("warehouse.cli", "duckdb polars numba"),
    ],
)
def test_heavy_libraries_load_only_when_called(module, forbidden):
    code = f"import sys, {module}; print(sorted({set(forbidden.split())} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("name", PACKAGES)
def test_our_import_names_are_ours(name):
    """The names are plain, so make sure no other distribution installs them."""
    assert set(packages_distributions().get(name, [])) <= {"undertow"}
    assert Path(find_spec(name).origin).is_relative_to(ROOT)


@each_module
def test_every_module_says_what_it_is(path):
    doc = ast.get_docstring(ast.parse(path.read_text()))
    assert doc, path
    assert doc.startswith(("This module ", "This package ")), path


@each_module
def test_one_idea_a_file(path):
    assert len(path.read_text().splitlines()) <= 400


@each_module
def test_numba_is_configured_in_one_place(path):
    if path.name == "_jit.py":
        return
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert "numba" not in imported


def kernels():
    """Yield the kernels that Python calls: not those that only serve other kernels."""
    bodies = {}
    for path in MODULES:
        if path.parent.name == "kernels" and not path.name.startswith("_"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and any(
                    "kernel" in ast.unparse(mark) for mark in node.decorator_list
                ):
                    bodies[path, node.name] = ast.unparse(node)
    for one in bodies:
        others = (text for other, text in bodies.items() if other != one)
        if not any(f"{one[1]}(" in text for text in others):
            yield one[1]


def test_every_kernel_has_a_parity_test():
    """Its name stands in a test of kernels or replays, beside the obvious version."""
    tests = "".join(
        path.read_text()
        for folder in ("kernels", "backtest", "warehouse")
        for path in ROOT.joinpath("tests", folder).glob("test_*.py")
    )
    made = list(kernels())
    assert made
    assert [name for name in made if name not in tests] == []


def test_no_one_swallows_exceptions():
    """A blanket ``except`` hides faults; only the front door may turn all into a line."""
    blanket = [
        str(path.relative_to(ROOT))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]
    assert blanket == []
