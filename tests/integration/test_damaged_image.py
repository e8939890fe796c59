"""A golden image changed behind labctl's back, with real overlays and a real libvirtd."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from integration.conftest import Labctl
from labctl.images.store import ImageStore
from labctl.model.paths import Home

LAB = "rotten"
TEXT = (
    f"lab: {LAB}\nnodes:\n  a: {{role: host}}\n  b: {{role: host}}\nlinks:\n  - [a:eth1, b:eth1]\n"
)


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory, libvirtd_uri: str) -> Labctl:
    """A folder of its own with a disk that nothing boots from: machines run, and that will do."""
    home = Home(tmp_path_factory.mktemp("rotten"))
    home.folder.chmod(0o755)
    disk = home.folder / "frr.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "64M"], check=True)
    subprocess.run(
        ["qemu-io", "-f", "qcow2", "-c", "write -P 9 0 1M", disk], capture_output=True, check=True
    )
    ImageStore(home.images).add(disk, "frr")
    return Labctl(home, libvirtd_uri)


def flip(path: Path) -> None:
    mode = path.stat().st_mode
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    path.chmod(mode)


def test_up_refuses_a_flipped_base_and_names_the_nodes(small: Labctl, tmp_path: Path) -> None:
    file = tmp_path / "rotten.yaml"
    file.write_text(TEXT)
    golden = ImageStore(small.home.images).get("frr").path
    try:
        small("up", str(file), "--no-wait")
        assert golden.stat().st_uid == os.geteuid()
        assert golden.stat().st_mode & 0o777 == 0o444
        small("down", LAB, "--force")
        flip(golden)
        error = small.json("up", str(file), "--no-wait", expect=5)["error"]
        assert "nodes on it: a, b" in error["details"]
        assert "labctl image quarantine frr" in error["resolution"]
        assert small.machines() == {}
        small("image", "verify", expect=5)
        case = small.json("image", "quarantine", "frr", "--note", "flipped by a test")["case"]["id"]
        error = small.json("up", str(file), "--no-wait", expect=5)["error"]
        assert case in error["details"]
        small("image", "import", str(small.home.folder / "frr.qcow2"), "--name", "frr")
        small("up", str(file), "--no-wait")
        assert set(small.machines()) == {f"{LAB}.a", f"{LAB}.b"}
        assert small.json("image", "salvage", case, "--name", "rescued")["lost"] == []
        (small.home.quarantine / case).chmod(0o755)
    finally:
        small("destroy", LAB, "--yes")


def test_a_running_machine_cannot_write_its_golden_image(small: Labctl, tmp_path: Path) -> None:
    """Block commit is the one way down a chain: QEMU's lock on the image bars it."""
    file = tmp_path / "rotten.yaml"
    file.write_text(TEXT)
    golden = ImageStore(small.home.images).get("frr").path
    before = hashlib.sha256(golden.read_bytes()).hexdigest()
    virsh = ["virsh", "-c", small.uri]
    try:
        small("up", str(file), "--no-wait")
        small("down", LAB, "--force")
        overlay = small.home.lab(LAB).node("a").overlay
        subprocess.run(
            ["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 50M", overlay],
            capture_output=True,
            check=True,
        )
        small("up", str(file), "--no-wait")
        dumped = subprocess.run(
            [*virsh, "dumpxml", f"{LAB}.a"], capture_output=True, text=True, check=True
        ).stdout
        below = dumped.partition("<backingStore")[2].partition("</backingStore>")[0]
        assert "relabel='no'" in below
        commit = ["blockcommit", f"{LAB}.a", "vda", "--active", "--pivot", "--wait"]
        refused = subprocess.run(
            [*virsh, *commit], capture_output=True, text=True, timeout=60, check=False
        )
        assert refused.returncode != 0
        assert 'Failed to get "write" lock' in refused.stderr
        assert hashlib.sha256(golden.read_bytes()).hexdigest() == before
        assert golden.stat().st_uid == os.geteuid()
    finally:
        small("destroy", LAB, "--yes")
