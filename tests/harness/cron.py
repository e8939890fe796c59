"""What somebody does with virsh behind labctl's back, done to the fake with real qcow2 files."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.fake import FakeHypervisor
from labctl.hypervisor.api import ObservedSnapshot


def qemu(program: str, *words: object) -> None:
    """Run a QEMU program; it must succeed."""
    subprocess.run([program, *map(str, words)], check=True, capture_output=True, timeout=60)


def write(image: Path, value: int) -> None:
    """Write 64 KiB of one byte, somewhere of its own, as a guest would."""
    qemu("qemu-io", "-f", "qcow2", "-c", f"write -P {value} {value * 65536} 64k", image)


def snapshot(fake: FakeHypervisor, domain: str, name: str, *, metadata: bool = True) -> Path:
    """`virsh snapshot-create-as --disk-only`, then a write by the guest; the new layer."""
    kept = fake._domains[domain]
    found = fake.domain(domain)
    assert found is not None
    old = Path(found.disks[0])
    layer = old.with_name(f"disk.{name}")
    qemu("qemu-img", "create", "-f", "qcow2", "-F", "qcow2", "-b", old, layer)
    write(layer, len(name))
    for element in kept.elements:
        source = element.find("devices/disk/source")
        assert source is not None
        source.set("file", str(layer))
    if metadata:
        taken = ObservedSnapshot(
            name, 1_700_000_000, external=True, memory=False, parent="", files=(str(layer),)
        )
        fake.foreign.setdefault(domain, []).append(taken)
    return layer
