"""NX-OSv (Titanium): a Nexus spine on a BIOS machine with IDE disks, and no boot variable."""

from __future__ import annotations

from pathlib import Path

from labctl import process
from labctl.fabric.intent import build
from labctl.model.paths import Home
from labctl.model.site import ImageRef, Site
from labctl.plan.ports import allocate
from labctl.render.desired import render
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

TEXT = """
lab: old
fabric: {spines: 1, leaves: 1}
platform: nxosv9k
nodes: {spine-1: {platform: titanium}}
"""


def test_machine_and_configuration(tmp_path: Path) -> None:
    platforms = load_platforms()
    lab = load(TEXT, source="old.yaml", platforms=platforms)
    desired = render(
        build(lab, platforms, management_subnet=None),
        platforms,
        site=Site("test", "", Home(tmp_path), "none"),
        ports=allocate(lab.links, lab=lab.name, existing={}, taken=frozenset()),
        images={node.image: ImageRef(tmp_path / "golden.qcow2", "0" * 64) for node in lab.nodes},
    )
    spine = desired.nodes["spine-1"]
    assert spine.intent.node.memory == 4096
    assert "<loader" not in spine.domain_xml
    assert "bus='ide'" in spine.domain_xml
    path = tmp_path / "spine-1.xml"
    path.write_text(spine.domain_xml)
    process.run(
        ["virsh", "-c", "test:///default", f"define --validate {path}; start old.spine-1"],
        deadline=60,
    )
    config = spine.day0.files["nxos_config.txt"]
    assert "interface Ethernet2/1" in config
    assert "boot nxos" not in config
    assert "labctl_boot.py" not in config
    assert "boot nxos" in desired.nodes["leaf-1"].day0.files["nxos_config.txt"]
