"""kill -9 of labctl and of QEMUs while real machines are put back: the next command takes it on,
and never do some machines run as then and some as now.

LABCTL_CHAOS_KILLS=30 runs each kind as often.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.libvirtd import private_libvirtd
from harness.snapshots import assert_all_are_whole
from labctl.errors import HypervisorError
from labctl.hypervisor.api import DomainState
from labctl.hypervisor.connect import connect
from labctl.ops.restore_marker import marker
from labctl.ops.snapshots import Snapshots

from .test_snapshot_kills import KILLS, LAB, NODES, Lab

pytestmark = [pytest.mark.chaos, pytest.mark.libvirtd]

RESTORE = ("snapshot", "restore", LAB, "base")
BARE = (*RESTORE, "--no-safety", "--yes")
# These machines have no agent that could come back.
IMPATIENT = """
import sys
from labctl.ops import awakening
awakening.AGENT_SECONDS = 0.0
from labctl.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
BYSTANDER = (
    "<domain type='qemu'><name>bystander</name><memory unit='MiB'>16</memory>"
    "<os><type arch='x86_64'>hvm</type></os></domain>"
)
"""Runs on while the lab is off: the harness gives up a dead libvirtd that has no guests left."""


class ImpatientLab(Lab):
    """Waits for no agent."""

    def states(self) -> dict[str, DomainState]:
        return {name: it for name, it in super().states().items() if name.startswith(f"{LAB}.")}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", IMPATIENT, "--connect", self.uri, *words, "--json"],
            env={**os.environ, "LABCTL_HOME": str(self.home.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def present(self) -> None:
        """All run on: not as in the snapshot."""
        with contextlib.closing(connect(self.uri)) as hypervisor:
            for node in NODES:
                hypervisor.resume(f"{LAB}.{node}")
        self.assert_runs()

    def kill_qemu(self, node: str) -> None:
        """Whichever it has at the moment, if it has one."""
        with contextlib.suppress(AssertionError, ProcessLookupError):
            os.kill(self.pid(node), signal.SIGKILL)

    def assert_as_in_base(self) -> None:
        """One machine was paused then, the others ran; and nothing is left to do."""
        assert marker(self.paths) is None
        assert Snapshots(self.paths).current() == "base"
        running, paused = DomainState.RUNNING, DomainState.PAUSED
        expected = zip(NODES, (running, running, paused), strict=True)
        assert self.states() == {f"{LAB}.{node}": state for node, state in expected}


@pytest.fixture
def lab(tmp_path: Path, libvirtd_uri: str) -> Iterator[ImpatientLab]:
    lab = lab_on(libvirtd_uri, tmp_path)
    yield lab
    lab.run("destroy", LAB, "--yes")


def lab_on(uri: str, folder: Path) -> ImpatientLab:
    """Machines of which one is paused in the snapshot `base`, and runs now."""
    lab = ImpatientLab(folder, uri)
    lab.up()
    with contextlib.closing(connect(uri)) as hypervisor:
        hypervisor.suspend(f"{LAB}.{NODES[-1]}")
    lab.run("snapshot", "create", LAB, "base")
    return lab


@pytest.fixture
def moments() -> random.Random:
    seed = int(os.environ.get("LABCTL_CHAOS_SEED", random.randrange(2**32)))
    print(f"LABCTL_CHAOS_SEED={seed}")  # noqa: T201  to run the same kills again
    return random.Random(seed)


def seconds_of(lab: Lab, words: tuple[str, ...]) -> float:
    started = time.monotonic()
    lab.run(*words)
    return time.monotonic() - started


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("words", [RESTORE, BARE], ids=["restore", "restore --no-safety"])
def test_labctl_is_killed(
    lab: ImpatientLab, moments: random.Random, words: tuple[str, ...]
) -> None:
    """What it had begun is ended by the next command, whichever that is."""
    seconds = seconds_of(lab, words)
    begun = 0
    for _ in range(KILLS):
        lab.present()
        process = lab.start(*words)
        time.sleep(moments.uniform(0, seconds))
        process.kill()
        process.communicate(timeout=30)
        under_way = marker(lab.paths) is not None
        begun += under_way
        lab.run("snapshot", "prune", LAB)
        assert marker(lab.paths) is None
        assert_all_are_whole(lab.paths)
        if under_way:
            lab.assert_as_in_base()
        lab.run(*BARE)
        lab.assert_as_in_base()
    print(f"{begun} of {KILLS} kills met it under way")  # noqa: T201
    assert begun


@pytest.mark.timeout(1800)
def test_a_qemu_is_killed(lab: ImpatientLab, moments: random.Random) -> None:
    """At any moment, an old one or a new one: the lab is as then, as before, or off."""
    seconds = seconds_of(lab, BARE)
    for _ in range(KILLS):
        lab.present()
        node = moments.choice(NODES)
        process = lab.start(*RESTORE)
        time.sleep(moments.uniform(0, 2 * seconds))
        lab.kill_qemu(node)
        out, err = process.communicate(timeout=120)
        states = lab.states()
        states.pop(f"{LAB}.{node}")
        assert len(states) == len(NODES) - 1, f"{out}\n{err}"
        assert process.returncode in (0, 11), f"{out}\n{err}"
        assert_all_are_whole(lab.paths)
        lab.run(*BARE)
        lab.assert_as_in_base()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", [0.4, 0.6, 0.8])
def test_libvirtd_dies(tmp_path: Path, part: float) -> None:
    """Its machines live on; the command fails or not, and the next one ends it."""
    with private_libvirtd() as daemon:
        with contextlib.closing(connect(daemon.uri)) as hypervisor:
            hypervisor.run_transient(BYSTANDER)
        lab = lab_on(daemon.uri, tmp_path)
        seconds = seconds_of(lab, BARE)
        lab.present()
        process = lab.start(*BARE)
        time.sleep(part * seconds)
        with daemon.dead():
            out, err = process.communicate(timeout=60)
        await_answer(daemon.uri)
        under_way = marker(lab.paths) is not None
        assert process.returncode in (0, 6, 11), f"{out}\n{err}"
        lab.run("snapshot", "prune", LAB)
        if under_way:
            lab.assert_as_in_base()
        lab.run(*BARE)
        lab.assert_as_in_base()
        lab.run("destroy", LAB, "--yes")


def await_answer(uri: str) -> None:
    """On a busy machine the harness's own patience may end before the daemon is up again."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(HypervisorError):
            connect(uri).close()
            return
        time.sleep(0.2)
    raise AssertionError("libvirtd did not come back")
