"""What a host can't carry is refused with the reason, and nothing of it is made."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from .conftest import Labctl

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd]

NODES = ("spine-1", "spine-2", "leaf-1", "leaf-2", "leaf-3", "leaf-4")
LARGE = 8 * 1024
FABRIC = "lab: too-large\nfabric: {spines: 2, leaves: 4}\n"


def refused(labctl: Labctl, file: Path, check: str) -> str:
    """What the refusing finding says; `up` and `preflight` end with 4 and leave nothing."""
    report = labctl.json("preflight", str(file), expect=4)
    (finding,) = [f for f in report["findings"] if f["severity"] == "refuse"]
    assert finding["check"] == check
    said = labctl.json("up", str(file), expect=4)["error"]
    assert finding["message"] in said["details"]
    assert said["resolution"]
    with closing(labctl.hypervisor()) as hypervisor:
        assert [d for d in hypervisor.domains() if d.name.startswith("too-large")] == []
        assert [n for n in hypervisor.networks() if n.lab == "too-large"] == []
    assert not labctl.home.lab("too-large").folder.exists()
    return str(finding["message"])


def test_six_nodes_of_8_gib_are_summed(labctl: Labctl, tmp_path: Path) -> None:
    with closing(labctl.hypervisor()) as hypervisor:
        host = hypervisor.host().memory_total
    assert host is not None
    each = max(LARGE, host // len(NODES) + 1)  # 8 GiB, but on a host that could carry that
    file = tmp_path / "too-large.yaml"
    nodes = "".join(f"  {name}: {{memory: {each} MiB}}\n" for name in NODES)
    file.write_text(f"{FABRIC}nodes:\n{nodes}")
    message = refused(labctl, file, "memory")
    assert f"{len(NODES)} x {each} MiB" in message
    overhead = int(message.split(" MiB QEMU overhead")[0].rpartition(" ")[2])
    assert f"= {len(NODES) * each + overhead} MiB > " in message


def test_kvm_that_the_file_demands_must_be_proved(labctl: Labctl, tmp_path: Path) -> None:
    """The tests' libvirtd never has KVM (tests/harness/libvirtd.py)."""
    file = tmp_path / "too-large.yaml"
    file.write_text(f"{FABRIC}host: {{kvm: true}}\n")
    assert "canary" in refused(labctl, file, "kvm")
