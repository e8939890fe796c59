"""kill -9 at random moments of up and destroy: the next run converges, and nothing leaks."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labctl.hypervisor.api import DomainState
from labctl.hypervisor.connect import connect
from labctl.images.store import ImageStore
from labctl.model.paths import Home

pytestmark = [pytest.mark.chaos, pytest.mark.libvirtd]

KILLS = 20
TOPOLOGY = """\
lab: chaos
image: blank
fabric:
  spines: 2
  leaves: 2
  hosts_per_leaf: 1
  vrfs:
    - name: tenant-a
      vni: 50001
      networks:
        - {name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}
nodes:
  host-1: {image: blank}
  host-2: {image: blank}
"""


class Lab:
    """A lab of paused machines with blank disks, driven through the real command line."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.uri = uri
        self.home = Home(folder / "home")
        self.topology = folder / "chaos.yaml"
        self.topology.write_text(TOPOLOGY)
        disk = folder / "blank.qcow2"
        subprocess.run(["qemu-img", "create", "-qf", "qcow2", disk, "16M"], check=True)
        ImageStore(self.home.images).add(disk, name="blank", source="made by this test")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "labctl", "--connect", self.uri, *words],
            env={**os.environ, "LABCTL_HOME": str(self.home.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: str) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, (
            f"{words}: {process.returncode}\n{out.decode()}\n{err.decode()}"
        )
        return out.decode()

    def up(self) -> tuple[str, ...]:
        return ("up", str(self.topology), "--paused", "--json")

    def destroy(self) -> tuple[str, ...]:
        return ("destroy", str(self.topology), "--yes", "--json")

    def kill_during(self, words: tuple[str, ...], seconds: float) -> None:
        process = self.start(*words)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)

    def assert_whole(self) -> None:
        hypervisor = connect(self.uri)
        states = {domain.name: domain.state for domain in hypervisor.domains()}
        networks = [network.name for network in hypervisor.networks() if network.lab]
        hypervisor.close()
        names = ("spine-1", "spine-2", "leaf-1", "leaf-2", "host-1", "host-2")
        assert states == {f"chaos.{name}": DomainState.PAUSED for name in names}
        assert networks == ["labctl-chaos"]
        assert list(self.home.folder.rglob("*.part")) == []
        assert json.loads(self.run(*self.up()))["plan"]["actions"] == []

    def assert_gone(self) -> None:
        hypervisor = connect(self.uri)
        assert hypervisor.domains() == ()
        assert [network.name for network in hypervisor.networks() if network.lab] == []
        hypervisor.close()
        kept = {self.home.images, self.home.cache}
        files = [p for p in self.home.folder.rglob("*") if p.is_file()]
        assert [p for p in files if not kept & set(p.parents)] == []
        assert _machines(self.home.folder) == []


def _machines(home: Path) -> list[int]:
    """Processes of this lab's QEMUs, found by the folder in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if words.startswith(b"/usr/bin/qemu-system") and os.fsencode(home) in words:
            found.append(int(entry.parent.name))
    return found


@pytest.fixture
def lab(tmp_path: Path, libvirtd_uri: str) -> Lab:
    return Lab(tmp_path, libvirtd_uri)


@pytest.mark.timeout(1500)
def test_kills_at_random_moments(lab: Lab) -> None:
    seed = int(os.environ.get("LABCTL_CHAOS_SEED", random.randrange(2**32)))
    print(f"LABCTL_CHAOS_SEED={seed}")  # noqa: T201  to run the same kills again
    moments = random.Random(seed)
    up_seconds, destroy_seconds = _measure(lab, lab.up()), _measure(lab, lab.destroy())
    lab.assert_gone()
    for number in range(KILLS):
        if number % 2 == 0:
            lab.kill_during(lab.up(), moments.uniform(0, up_seconds))
        else:
            lab.run(*lab.up())
            lab.kill_during(lab.destroy(), moments.uniform(0, destroy_seconds))
        if moments.random() < 0.5:
            lab.run(*lab.up())
            lab.assert_whole()
        lab.run(*lab.destroy())
        lab.assert_gone()


def _measure(lab: Lab, words: tuple[str, ...]) -> float:
    started = time.monotonic()
    lab.run(*words)
    return time.monotonic() - started
