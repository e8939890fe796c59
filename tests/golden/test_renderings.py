"""Every example topology against its golden rendering, and that rendering against its judges.

A difference here means that machines or configurations of labs that are up would change. Where
that is meant, `pytest tests/golden --regenerate` writes the renderings anew; review the diff.
"""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest

from harness.nxos_lint import lint
from labctl import process
from labctl.fabric.addresses import management_subnet
from labctl.fabric.intent import build
from labctl.model.paths import Home
from labctl.model.site import ImageRef, Site
from labctl.plan.ports import allocate
from labctl.render.desired import render
from labctl.render.tree import write_nodes
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

GOLDEN = Path(__file__).parent
TOPOLOGIES = GOLDEN.parent.parent / "topologies"
EXAMPLES = sorted(TOPOLOGIES.glob("*.yaml"))
SYNTAX = {"evpn-nexus-2x4": "i7"}
"""The command language of an example's Nexus, where it isn't the newest."""
example = pytest.mark.parametrize("topology", EXAMPLES, ids=[path.stem for path in EXAMPLES])


def rendering(topology: Path, folder: Path) -> None:
    """Render as on one made-up host, so that the bytes depend on nothing here."""
    platforms = load_platforms()
    lab = load(
        topology.read_text(),
        source=topology.name,
        platforms=platforms,
        read_file=lambda name: (topology.parent / name).read_text(),
    )
    subnet = lab.management.subnet or management_subnet(lab.name, len(lab.nodes), ())
    desired = render(
        build(lab, platforms, management_subnet=subnet),
        platforms,
        site=Site("kvm", "", Home(Path("/var/lib/labctl")), "nat"),
        ports=allocate(lab.links, lab=lab.name, existing={}, taken=frozenset()),
        images={
            node.image: ImageRef(Path(f"/var/lib/labctl/images/{node.image}.qcow2"), "0" * 64)
            for node in lab.nodes
        },
    )
    write_nodes(lab.name, desired.nodes.values(), desired.network_xml, folder)


def tree(folder: Path) -> dict[str, str]:
    """All files below a folder, by relative path."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def differences(golden: dict[str, str], rendered: dict[str, str]) -> str:
    """A unified diff of two trees; "" when they are the same."""
    lines: list[str] = []
    for name in sorted({*golden, *rendered}):
        old, new = golden.get(name, ""), rendered.get(name, "")
        lines += difflib.unified_diff(
            old.splitlines(keepends=True),
            new.splitlines(keepends=True),
            f"golden/{name}" if name in golden else "/dev/null",
            f"rendered/{name}" if name in rendered else "/dev/null",
        )
    return "".join(lines)


@pytest.fixture
def rendered(topology: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh rendering, with a version that no release changes."""
    for module in ("labctl.render.desired", "labctl.render.network"):
        monkeypatch.setattr(f"{module}.__version__", "0")
    rendering(topology, tmp_path / "rendered")
    return tmp_path / "rendered"


@example
def test_golden(topology: Path, rendered: Path, request: pytest.FixtureRequest) -> None:
    golden = GOLDEN / topology.stem
    if request.config.getoption("--regenerate"):
        shutil.rmtree(golden, ignore_errors=True)
        shutil.copytree(rendered, golden)
    found = differences(tree(golden), tree(rendered))
    if found:
        pytest.fail(f"{found}\nif this is meant: pytest tests/golden --regenerate", pytrace=False)


@example
def test_libvirt_takes_every_domain_and_network(topology: Path, rendered: Path) -> None:
    """By the test driver, which knows no kvm: only that word is changed."""
    commands = []
    for path in sorted(rendered.rglob("domain.xml")):
        xml = path.read_text()
        path.write_text(xml.replace("<domain type='kvm'>", "<domain type='test'>", 1))
        commands.append(f"define --validate {path}")
    commands += [f"net-define --validate {path}" for path in rendered.glob("network.xml")]
    process.run(["virsh", "-c", "test:///default", "; ".join(commands)], deadline=120)


@example
@pytest.mark.skipif(shutil.which("vtysh") is None, reason="no vtysh (package frr)")
def test_frr_takes_every_configuration(topology: Path, rendered: Path) -> None:
    for path in sorted(rendered.rglob("frr.conf")):
        done = process.run(["vtysh", "-C", "-f", path], deadline=60, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, ""), path


@example
def test_every_line_of_a_nexus_is_nx_os(topology: Path, rendered: Path) -> None:
    for path in sorted(rendered.rglob("nxos_config.txt")):
        assert lint(path.read_text(), SYNTAX.get(topology.stem, "9.3")) == [], path


def test_there_are_examples_and_no_rendering_without_one() -> None:
    folders = {path.name for path in GOLDEN.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == {path.stem for path in EXAMPLES} != set()


def test_a_difference_is_told_line_by_line() -> None:
    found = differences({"a": "1\n2\n", "gone": "x\n"}, {"a": "1\n3\n", "new": "y\n"})
    assert {"-2", "+3", "-x", "+y", "--- golden/a", "--- /dev/null"} <= set(
        found.replace("\t", "").splitlines()
    )
