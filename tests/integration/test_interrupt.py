"""Ctrl-C while guests boot: once ends cleanly, twice at once, and nothing is ever half-made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from harness.libvirtd import PrivateLibvirtd, private_libvirtd
from labctl.errors import ExitCode
from labctl.hypervisor.api import DomainState

from .conftest import Labctl

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(600)]

LAB = "cut-short"
NODES = ("a", "b")
TOPOLOGY = f"""\
lab: {LAB}
nodes: {{a: {{role: host}}, b: {{role: host}}}}
links: [[a:eth1, b:eth1]]
"""
DEADLINE = 120.0


@pytest.fixture
def topology(labctl: Labctl, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / f"{LAB}.yaml"
    path.write_text(TOPOLOGY)
    yield path
    labctl("destroy", LAB, "--yes")
    assert_nothing_left(labctl)


@pytest.fixture
def booting(labctl: Labctl, topology: Path) -> Iterator[subprocess.Popen[str]]:
    """`labctl up` with a first machine that runs and is far from ready."""
    with up_until_a_machine_runs(labctl, topology) as run:
        yield run


@contextmanager
def up_until_a_machine_runs(labctl: Labctl, topology: Path) -> Iterator[subprocess.Popen[str]]:
    run = subprocess.Popen(
        [sys.executable, "-m", "labctl", "--connect", labctl.uri, "up", str(topology)],
        env={**os.environ, "LABCTL_HOME": str(labctl.home.folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        wait_for(lambda: DomainState.RUNNING in states(labctl).values() or run.poll() is not None)
        yield run
        run.kill()


def wait_for(reached: Callable[[], bool]) -> None:
    end = monotonic() + DEADLINE
    while not reached():
        assert monotonic() < end
        sleep(0.05)


def states(labctl: Labctl) -> dict[str, DomainState]:
    with closing(labctl.hypervisor()) as hypervisor:
        return {d.name: d.state for d in hypervisor.domains() if d.name.startswith(LAB)}


def assert_nothing_half_made(labctl: Labctl) -> None:
    """Each node has all of its files and a definition, or neither."""
    paths = labctl.home.lab(LAB)
    for node in NODES:
        files = paths.node(node)
        whole = files.overlay.exists() and files.day0.exists()
        assert whole == (f"{LAB}.{node}" in states(labctl))
    assert list(labctl.home.folder.rglob("*.part")) == []
    assert not paths.lock.exists()


def assert_nothing_left(labctl: Labctl) -> None:
    assert states(labctl) == {}
    assert not labctl.home.lab(LAB).folder.exists()
    assert not labctl.home.lab(LAB).lock.exists()
    with closing(labctl.hypervisor()) as hypervisor:
        assert f"labctl-{LAB}" not in {network.name for network in hypervisor.networks()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_once_ends_cleanly(
    labctl: Labctl, topology: Path, booting: subprocess.Popen[str], number: signal.Signals
) -> None:
    booting.send_signal(number)
    out, err = booting.communicate(timeout=DEADLINE)
    assert booting.returncode == ExitCode.INTERRUPTED, out + err
    assert "was interrupted" in err
    assert "left: " in err
    assert f"labctl up {LAB}" in err
    assert_nothing_half_made(labctl)
    labctl("up", str(topology))
    assert set(states(labctl).values()) == {DomainState.RUNNING}
    assert "nothing to do" in labctl("up", LAB)


def test_twice_ends_at_once(labctl: Labctl, booting: subprocess.Popen[str]) -> None:
    assert booting.stderr is not None
    booting.send_signal(signal.SIGINT)
    while "ending cleanly" not in (line := booting.stderr.readline()):
        assert line, "labctl ended without a word"
    booting.send_signal(signal.SIGINT)
    booting.communicate(timeout=DEADLINE)
    assert booting.returncode == ExitCode.INTERRUPTED


def test_a_libvirtd_that_dies_ends_the_run(labctl: Labctl, tmp_path: Path) -> None:
    """With a daemon of its own: the session's lives on."""
    with private_libvirtd() as daemon:
        own = Labctl(labctl.home, daemon.uri)
        file = tmp_path / f"{LAB}.yaml"
        file.write_text(TOPOLOGY)
        with up_until_a_machine_runs(own, file) as run, daemon.dead():
            out, err = run.communicate(timeout=DEADLINE)
            assert run.returncode == ExitCode.HYPERVISOR, out + err
            assert "left: " in err
        own("up", str(file))
        assert "nothing to do" in own("up", LAB)
        own("destroy", LAB, "--yes")
        assert_nothing_left(own)


def test_a_frozen_libvirtd_is_given_up(
    labctl: Labctl, topology: Path, libvirtd: PrivateLibvirtd, booting: subprocess.Popen[str]
) -> None:
    with libvirtd.frozen():
        out, err = booting.communicate(timeout=DEADLINE)
        assert booting.returncode == ExitCode.HYPERVISOR, out + err
        assert "left: " in err
    assert_nothing_half_made(labctl)
    labctl("up", str(topology))
