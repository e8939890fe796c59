"""kill -9 of labctl and of QEMUs while snapshots of real machines are made and removed: the lab
runs or can be brought up, no node stays paused, and nothing half-made passes for a snapshot.

LABCTL_CHAOS_KILLS=30 runs each kind as often.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.snapshots import assert_all_are_whole, assert_none_is_half
from labctl.errors import ExitCode
from labctl.hypervisor.api import DomainState
from labctl.hypervisor.connect import connect
from labctl.images.store import ImageStore
from labctl.model.paths import Home

pytestmark = [pytest.mark.chaos, pytest.mark.libvirtd]

KILLS = int(os.environ.get("LABCTL_CHAOS_KILLS", "6"))
LAB = "kills"
NODES = ("a", "b", "c")
TOPOLOGY = f"""\
lab: {LAB}
nodes:
  a: {{role: host, image: blank}}
  b: {{role: host, image: blank}}
  c: {{role: host, image: blank}}
links:
  - [a:eth1, b:eth1]
  - [b:eth2, c:eth1]
host: {{memory_overcommit: 16, vcpu_overcommit: 64}}
snapshots: {{keep_last: 2}}
"""


class Lab:
    """Machines that run their firmware alone, driven through the real command line."""

    def __init__(self, folder: Path, uri: str) -> None:
        folder.chmod(0o755)
        self.uri = uri
        self.home = Home(folder / "home")
        self.paths = self.home.lab(LAB)
        self.topology = folder / f"{LAB}.yaml"
        self.topology.write_text(TOPOLOGY)
        self.numbers = itertools.count(1)
        disk = folder / "blank.qcow2"
        subprocess.run(["qemu-img", "create", "-qf", "qcow2", disk, "16M"], check=True)
        ImageStore(self.home.images).add(disk, name="blank", source="made by this test")

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "labctl", "--connect", self.uri, *words, "--json"],
            env={**os.environ, "LABCTL_HOME": str(self.home.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> Any:
        process = self.start(*words)
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, f"{words}: {process.returncode}\n{out}\n{err}"
        return json.loads(out)

    def up(self) -> None:
        self.run("up", str(self.topology), "--no-wait")

    def create(self) -> tuple[str, ...]:
        return ("snapshot", "create", LAB, f"s{next(self.numbers)}")

    def prepared(self, kind: str) -> tuple[str, ...]:
        """The words of a command of that kind, with snapshots there for it to work on."""
        if kind == "create":
            return self.create()  # with two there, it prunes
        self.run(*self.create())
        oldest, *_ = sorted(path.name for path in self.paths.snapshots.glob("*/"))
        if kind == "delete":
            return ("snapshot", "delete", LAB, oldest, "--yes")
        self.topology.write_text(TOPOLOGY.replace("keep_last: 2", "keep_last: 1"))
        return ("snapshot", "prune", str(self.topology))

    def states(self) -> dict[str, DomainState]:
        with contextlib.closing(connect(self.uri)) as hypervisor:
            return {domain.name: domain.state for domain in hypervisor.domains()}

    def states_without(self, node: str) -> dict[str, DomainState]:
        """Of the others, once libvirt has noticed that the node's QEMU is gone."""
        end = time.monotonic() + 30
        while (states := self.states()).pop(f"{LAB}.{node}") is not DomainState.SHUT_OFF:
            assert time.monotonic() < end, f"{node} is {states}"
            time.sleep(0.1)
        return states

    def pid(self, node: str) -> int:
        """Of its QEMU."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = entry.read_bytes()
                if (
                    f"guest={LAB}.{node},".encode() in words
                    and os.fsencode(self.home.folder) in words
                ):
                    return int(entry.parent.name)
        raise AssertionError(f"{node} has no QEMU")

    def assert_runs(self) -> None:
        assert self.states() == {f"{LAB}.{node}": DomainState.RUNNING for node in NODES}


@pytest.fixture
def lab(tmp_path: Path, libvirtd_uri: str) -> Iterator[Lab]:
    lab = Lab(tmp_path, libvirtd_uri)
    lab.up()
    yield lab
    lab.run("destroy", LAB, "--yes")


@pytest.fixture
def moments() -> random.Random:
    seed = int(os.environ.get("LABCTL_CHAOS_SEED", random.randrange(2**32)))
    print(f"LABCTL_CHAOS_SEED={seed}")  # noqa: T201  to run the same kills again
    return random.Random(seed)


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("kind", ["create", "delete", "prune"])
def test_labctl_is_killed(lab: Lab, moments: random.Random, kind: str) -> None:
    seconds = _measure(lab, kind)
    for _ in range(KILLS):
        process = lab.start(*lab.prepared(kind))
        time.sleep(moments.uniform(0, seconds))
        process.kill()
        process.communicate(timeout=30)
        assert_none_is_half(lab.paths)
        summary = lab.run("status", LAB)["labs"][0]["snapshots"]
        lab.run("snapshot", "prune", LAB)
        lab.assert_runs()
        assert len(assert_all_are_whole(lab.paths)) >= summary["number"] - 1


@pytest.mark.timeout(1500)
def test_a_qemu_is_killed(lab: Lab, moments: random.Random) -> None:
    seconds = _measure(lab, "create")
    for _ in range(KILLS):
        node = moments.choice(NODES)
        process, pid = lab.start(*lab.create()), lab.pid(node)
        time.sleep(moments.uniform(0, seconds))
        os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        left = assert_all_are_whole(lab.paths)
        states = lab.states_without(node)
        assert set(states.values()) == {DomainState.RUNNING}, f"{out}\n{err}"
        name = json.loads(out).get("snapshot", {}).get("name")
        assert (name in left) is (process.returncode == 0), f"{out}\n{err}"
        lab.up()
        lab.assert_runs()


@pytest.mark.timeout(1500)
def test_ctrl_c_leaves_nothing_to_put_right(lab: Lab, moments: random.Random) -> None:
    seconds = _measure(lab, "create")
    for _ in range(KILLS):
        process = lab.start(*lab.create())
        time.sleep(moments.uniform(0.3, 1) * seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        early = -signal.SIGINT  # nothing was begun yet
        assert process.returncode in (0, ExitCode.INTERRUPTED, early), f"{out}\n{err}"
        lab.assert_runs()
        assert_all_are_whole(lab.paths)


def _measure(lab: Lab, kind: str) -> float:
    words = lab.prepared(kind)
    started = time.monotonic()
    lab.run(*words)
    return time.monotonic() - started
