"""Create and prune without end, on a machine that writes all the time: nothing grows.

LABCTL_CYCLES=2000 takes as many; time per cycle is printed, not judged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from harness.scribbler import FIRST, NAME, SPAN, add_scribbler
from harness.snapshots import assert_all_are_whole
from labctl.hypervisor.api import DomainState
from labctl.hypervisor.connect import connect
from labctl.images.chain import depth
from labctl.images.qemu_img import Standing, examine
from labctl.images.store import ImageStore
from labctl.model.paths import Home
from labctl.model.snapshot import DISK
from labctl.ops.context import Context
from labctl.ops.destroy import destroy
from labctl.ops.down import down
from labctl.ops.snapshot_create import create
from labctl.ops.snapshots import Snapshots
from labctl.ops.up import up

pytestmark = [pytest.mark.libvirtd, pytest.mark.timeout(7200)]

CYCLES = int(os.environ.get("LABCTL_CYCLES", "25"))
KEPT = 5
LAB = "cycles"
TOPOLOGY = f"""\
lab: {LAB}
nodes:
  a: {{role: host, image: {NAME}, memory: 64 MiB, allow_undersized: true}}
management: false
snapshots: {{keep_last: {KEPT}}}
"""
SLACK = 1024**2
"""Bytes by which qcow2 metadata may differ from one moment to another."""


@pytest.fixture
def lab(tmp_path: Path, libvirtd_uri: str) -> Iterator[Context]:
    tmp_path.chmod(0o755)
    context = Context(Home(tmp_path / "home"), libvirtd_uri, connect)
    add_scribbler(ImageStore(context.home.images), tmp_path)
    file = tmp_path / f"{LAB}.yaml"
    file.write_text(TOPOLOGY)
    up(context, str(file), wait=False)
    yield context
    destroy(context, LAB)


def occupied(path: Path) -> int:
    """Bytes on the disk, of a file or of all below a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(file.stat().st_blocks * 512 for file in files)


def written(overlay: Path) -> None:
    """Wait until the machine has written all that it ever writes to for the first time."""
    deadline = time.monotonic() + 60
    while occupied(overlay) < SPAN:
        assert time.monotonic() < deadline, "the machine does not write to its disk"
        time.sleep(0.1)


def test_nothing_grows(lab: Context) -> None:
    paths = lab.home.lab(LAB)
    overlay = paths.node("a").overlay
    written(overlay)
    before, seconds, most = occupied(overlay), list[float](), 0
    for number in range(CYCLES):
        result = create(lab, LAB, f"cycle-{number:05}")
        seconds.append(result.seconds)
        assert len(result.pruned) == (number >= KEPT)
        if number == KEPT:
            most = occupied(paths.snapshots)
    quarter = max(1, CYCLES // 4)
    first, last = median(seconds[:quarter]), median(seconds[-quarter:])
    print(  # noqa: T201
        f"{CYCLES} cycles: {first:.3f} s each in the first quarter, {last:.3f} s in the last, "
        f"ratio {last / first:.2f}; overlay {before} then {occupied(overlay)} bytes, "
        f"snapshots {most} then {occupied(paths.snapshots)}"
    )
    assert depth(overlay) == 1
    assert occupied(overlay) <= before + SLACK
    assert occupied(paths.snapshots) <= most + KEPT * SLACK
    names = assert_all_are_whole(paths)
    assert len(names) == KEPT
    (domain,) = connect(lab.uri).domains()
    assert domain.state is DomainState.RUNNING
    down(lab, LAB, force=True)
    for disk in (overlay, *(Snapshots(paths).folder(name) / "a" / DISK for name in names)):
        assert examine(disk).standing is Standing.CLEAN


def test_each_is_of_its_own_instant(lab: Context) -> None:
    overlay = lab.home.lab(LAB).node("a").overlay
    written(overlay)
    for name in ("one", "two"):
        create(lab, LAB, name)
    disks = [Snapshots(lab.home.lab(LAB)).folder(name) / "a" / DISK for name in ("one", "two")]
    one, two = (disk.read_bytes() for disk in disks)
    assert len(one) >= SPAN
    assert one != two, f"nothing was written from {FIRST} on between two snapshots"
