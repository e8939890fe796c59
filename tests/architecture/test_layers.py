"""Imports go one way, and each outside library has one home."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "labctl"

# Each package may import those named here, and itself.
BOTTOM = {"errors", "model"}
PURE = BOTTOM | {"fabric", "topology", "console", "plan", "devices"}
EDGE = {
    "atomic",
    "filelock",
    "hygiene",
    "hypervisor",
    "images",
    "preflight",
    "process",
    "render",
    "verify",
}
ALLOWED: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {"cli"},
    "errors": {"model"},  # for the type of a refusal's report alone
    "model": {"errors"},
    "process": {"errors"},
    "atomic": set(),
    "filelock": {"errors", "process"},
    "fabric": BOTTOM,
    "topology": BOTTOM | {"fabric"},  # only where addresses and wires decide what a file may say
    "console": BOTTOM | {"hypervisor"},
    "devices": BOTTOM | {"console"},
    "images": BOTTOM | {"atomic", "filelock", "process"},
    "hypervisor": BOTTOM,
    "hygiene": BOTTOM | {"atomic", "hypervisor", "images", "preflight"},
    "preflight": BOTTOM | {"atomic", "filelock", "hypervisor", "images", "process"},
    "plan": BOTTOM | {"fabric", "hypervisor"},
    "render": BOTTOM | {"fabric", "devices", "__init__"},
    "verify": BOTTOM | {"devices", "fabric"},
    "ops": PURE | EDGE | {"__init__"},
    "report": BOTTOM | {"ops", "plan", "verify"},
    "cli": PURE | EDGE | {"ops", "report", "__init__"},
}
HOMES = {
    "libvirt": {"hypervisor"},
    "libvirt_qemu": {"hypervisor"},
    "subprocess": {"process"},
    "jinja2": {"render"},
    "typer": {"cli"},
    "rich": {"report"},
    "pycdlib": set(),  # tests read with it what render writes
    "yaml": {"topology"},
}
NOT_PURE = {"time", "random", "secrets", "socket", "datetime"}


def package(path: Path) -> str:
    """The package below labctl a file belongs to."""
    inner = path.relative_to(SOURCE)
    return inner.parts[0] if len(inner.parts) > 1 else inner.stem


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it; those only for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            if node.module == "labctl":
                yield from (f"labctl.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path: Path) -> None:
    own = package(path)
    for name in imports(path):
        if name.startswith("labctl."):
            target = name.split(".")[1]
            target = "__init__" if target == "__version__" else target
            assert target == own or target in ALLOWED[own], f"{own} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_outside_libraries_have_one_home(path: Path) -> None:
    for name in imports(path):
        homes = HOMES.get(name.split(".")[0])
        assert homes is None or package(path) in homes, f"{path} imports {name}"


@pytest.mark.parametrize(
    "name", sorted({"model", "topology", "fabric", "plan", "render", "verify"})
)
def test_the_pure_core_knows_no_clock_no_chance_and_no_network(name: str) -> None:
    for path in (SOURCE / name).rglob("*.py"):
        found = NOT_PURE & {module.split(".")[0] for module in imports(path)}
        assert not found, f"{path} imports {found}"


def test_every_package_has_its_place_in_the_layers() -> None:
    assert {package(path) for path in FILES} == set(ALLOWED)


def test_the_layers_have_no_circle() -> None:
    """But errors and model, which are one bottom: errors names a model's type for checkers."""
    order: list[str] = []
    left = {name: set(below) - {name} for name, below in ALLOWED.items()}
    left["errors"].discard("model")
    while left:
        free = [name for name, below in left.items() if not below - set(order)]
        assert free, f"a circle among {sorted(left)}"
        order += free
        left = {name: below for name, below in left.items() if name not in free}
