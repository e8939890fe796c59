"""Memory to a file and back, others' snapshots, layers merged under a running machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.backends import Backend
from harness.fake import FakeHypervisor
from labctl.errors import HypervisorError
from labctl.hypervisor.api import DomainState, ObservedSnapshot

NAME = "contract.leaf-1"
DISK = (
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
    "<source file='{file}'/><target dev='vda' bus='virtio'/></disk>"
)


def qemu_img(*words: object) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, timeout=60)


def state(backend: Backend) -> DomainState:
    domain = backend.hypervisor.domain(NAME)
    assert domain is not None
    return domain.state


def disk_of(backend: Backend) -> str:
    domain = backend.hypervisor.domain(NAME)
    assert domain is not None
    return domain.disks[0]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk.qcow2"
    qemu_img("create", "-f", "qcow2", path, "1M")
    return path


@pytest.fixture
def running(capable: Backend, disk: Path) -> Backend:
    """A domain with one disk, paused before its first instruction."""
    capable.hypervisor.define(capable.xml(devices=DISK.format(file=disk)))
    capable.hypervisor.start(NAME, paused=True)
    return capable


def test_suspend_halts_a_running_machine_and_leaves_a_halted_one(running: Backend) -> None:
    running.hypervisor.resume(NAME)
    assert state(running) is DomainState.RUNNING
    for _ in range(2):
        running.hypervisor.suspend(NAME)
        assert state(running) is DomainState.PAUSED


def test_suspend_of_what_is_off_is_refused(capable: Backend) -> None:
    capable.hypervisor.define(capable.xml())
    with pytest.raises(HypervisorError):
        capable.hypervisor.suspend(NAME)


def test_memory_goes_to_a_file_and_back(running: Backend, tmp_path: Path) -> None:
    file = tmp_path / "memory"
    running.hypervisor.save_memory(NAME, file)
    assert state(running) is DomainState.PAUSED
    assert f"<name>{NAME}</name>" in running.hypervisor.saved_xml(file)
    assert running.hypervisor.snapshots(NAME) == ()
    xml = running.hypervisor.definition(NAME)
    assert xml is not None
    running.hypervisor.destroy(NAME)
    running.hypervisor.restore_memory(file, xml)
    assert state(running) is DomainState.PAUSED
    assert running.hypervisor.definition(NAME) is not None
    running.hypervisor.resume(NAME)
    assert state(running) is DomainState.RUNNING


def test_memory_is_not_restored_into_another_machine(running: Backend, tmp_path: Path) -> None:
    running.hypervisor.save_memory(NAME, tmp_path / "memory")
    running.hypervisor.destroy(NAME)
    with pytest.raises(HypervisorError):
        running.hypervisor.restore_memory(tmp_path / "memory", running.xml(memory=48))
    assert state(running) is DomainState.SHUT_OFF


def test_what_is_no_saved_memory_is_refused(running: Backend, tmp_path: Path) -> None:
    (tmp_path / "memory").write_bytes(b"no memory")
    for file in (tmp_path / "memory", tmp_path / "none"):
        with pytest.raises(HypervisorError):
            running.hypervisor.saved_xml(file)


def test_what_is_undefined_has_no_definition(capable: Backend) -> None:
    assert capable.hypervisor.definition(NAME) is None


def test_layers_are_merged_while_the_machine_runs(
    capable: Backend, disk: Path, tmp_path: Path
) -> None:
    layers = [disk]
    for number in range(3):
        layers.append(tmp_path / f"layer-{number}")
        qemu_img("create", "-f", "qcow2", "-F", "qcow2", "-b", layers[-2], layers[-1])
    capable.hypervisor.define(capable.xml(devices=DISK.format(file=layers[-1])))
    capable.hypervisor.start(NAME)
    capable.hypervisor.block_commit(NAME, "vda", str(disk), deadline=60)
    assert state(capable) is DomainState.RUNNING
    assert disk_of(capable) == str(disk)
    capable.hypervisor.destroy(NAME)
    assert disk_of(capable) == str(disk)


def test_layers_above_what_is_no_layer_are_not_merged(running: Backend, tmp_path: Path) -> None:
    with pytest.raises(HypervisorError):
        running.hypervisor.block_commit(NAME, "vda", str(tmp_path / "other"), deadline=60)
    assert state(running) is DomainState.PAUSED


@pytest.mark.libvirtd
def test_virsh_snapshots_are_seen_and_forgotten(
    real: Backend, libvirtd_uri: str, disk: Path, tmp_path: Path
) -> None:
    real.hypervisor.define(real.xml(devices=DISK.format(file=disk)))
    real.hypervisor.start(NAME, paused=True)
    file = tmp_path / "cron"
    for words in (["inside"], ["cron", "--disk-only", "--diskspec", f"vda,file={file}"]):
        subprocess.run(
            ["virsh", "-c", libvirtd_uri, "snapshot-create-as", NAME, *words],
            check=True,
            capture_output=True,
            timeout=60,
        )
    inside, outside = real.hypervisor.snapshots(NAME)
    assert (inside.name, inside.external, inside.memory) == ("inside", False, True)
    assert inside.files == ()
    assert (outside.name, outside.external, outside.memory) == ("cron", True, False)
    assert outside.files == (str(file),)
    assert outside.parent == "inside"
    assert outside.created >= inside.created > 0
    real.hypervisor.delete_snapshot(NAME, "cron", metadata_only=True)
    assert [each.name for each in real.hypervisor.snapshots(NAME)] == ["inside"]
    assert file.exists()
    real.hypervisor.delete_snapshot(NAME, "cron", metadata_only=True)


def test_the_fake_forgets_as_libvirt_does(tmp_path: Path) -> None:
    fake = FakeHypervisor()
    fake.define(Backend(fake, "qemu").xml())
    file = tmp_path / "cron"
    file.touch()
    taken = ObservedSnapshot("cron", 1, external=True, memory=False, parent="", files=(str(file),))
    fake.foreign[NAME] = [taken]
    assert fake.snapshots(NAME) == (taken,)
    fake.delete_snapshot(NAME, "cron", metadata_only=True)
    assert fake.snapshots(NAME) == ()
    assert file.exists()


@pytest.mark.libvirtd
def test_pools_are_seen(real: Backend, libvirtd_uri: str, tmp_path: Path) -> None:
    virsh = ["virsh", "-c", libvirtd_uri]
    words = ["pool-create-as", "contract", "dir", "--target", str(tmp_path)]
    subprocess.run([*virsh, *words], check=True, capture_output=True, timeout=60)
    try:
        (pool,) = real.hypervisor.pools()
        assert (pool.name, pool.path, pool.active) == ("contract", str(tmp_path), True)
        assert pool.capacity > pool.available > 0
    finally:
        subprocess.run([*virsh, "pool-destroy", "contract"], check=True, timeout=60)
