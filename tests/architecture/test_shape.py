"""Small files, short functions, documented and typed; errors caught by name."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "labctl"
FILES = sorted(SOURCE.rglob("*.py"))
EVERYTHING = sorted(
    path
    for folder in ("src", "tests", "bench", "lab")
    for path in (ROOT / folder).rglob("*.py")
    if "src/labctl/lab" not in str(path)
)
MOST_LINES = 300
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(paths: list[Path]) -> Iterator[tuple[Path, Function]]:
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield path, node


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_functions_are_short() -> None:
    lengths = [(node.end_lineno or 0) - node.lineno + 1 for _, node in functions(FILES)]
    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=10)[-1] <= 35


def test_all_that_is_public_is_documented() -> None:
    bare = []
    for path in FILES:
        module = ast.parse(path.read_text())
        if path.stat().st_size and not ast.get_docstring(module):
            bare.append(name_of(path))
        bare += [
            f"{name_of(path)}:{node.lineno} {node.name}"
            for node in module.body
            if isinstance(node, Function | ast.ClassDef)
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
    assert bare == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_broad_excepts_are_few_and_give_their_reason(path: Path) -> None:
    """`except Exception` only at the CLI edge; `except BaseException` only to undo and re-raise."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = ast.unparse(node.type) if node.type else "everything"
        if caught in ("everything", "BaseException"):
            last = node.body[-1]
            assert isinstance(last, ast.Raise), f"{name_of(path)}:{node.lineno}"
            assert last.exc is None, f"{name_of(path)}:{node.lineno}"
        if "Exception" in re.findall(r"\w+", caught):
            assert path == SOURCE / "cli" / "main.py", f"{name_of(path)}:{node.lineno}"


def test_packages_import_nothing_by_themselves() -> None:
    """`labctl --help` must stay fast, so importing a package imports no module."""
    for path in SOURCE.rglob("__init__.py"):
        found = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)]
        assert not found, name_of(path)


def test_nobody_mocks_what_is_ours() -> None:
    """Fakes stand at libvirt's and the processes' edge; no mock library anywhere."""
    for path in (ROOT / "tests").rglob("*.py"):
        found = [
            alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
            if "mock" in f"{getattr(node, 'module', '')}.{alias.name}".split(".")
        ]
        assert not found, name_of(path)
