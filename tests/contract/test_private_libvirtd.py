"""The harness itself: the machine is as it was, even when pytest is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from time import monotonic, sleep

import pytest

from harness.backends import Backend
from harness.libvirtd import PrivateLibvirtd, private_libvirtd
from labctl.hypervisor.connect import connect

pytestmark = pytest.mark.libvirtd

DEADLINE = 60.0
TESTS = Path(__file__).parents[1]

# What a test run does, up to where it is killed.
RUN = """
import sys
from harness.backends import Backend
from harness.libvirtd import private_libvirtd
from labctl.hypervisor.connect import connect
with private_libvirtd() as daemon:
    hypervisor = connect(daemon.uri)
    hypervisor.run_transient(Backend(hypervisor, "qemu").xml())
    print(daemon.folder, daemon.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _installed(libvirtd: PrivateLibvirtd) -> None:
    """Skip, or fail in CI, where the session's own daemon would."""


def processes_in(folder: Path) -> list[int]:
    """Processes that hold an open file below `folder`, have it mounted or name it in argv."""
    return [pid for pid in pids() if concerns(pid, folder)]


def pids() -> Iterable[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def concerns(pid: int, folder: Path) -> bool:
    wanted = os.fsencode(folder)
    proc = Path(f"/proc/{pid}")
    try:
        return any(wanted in (proc / name).read_bytes() for name in ("cmdline", "mountinfo"))
    except OSError:  # it ended meanwhile
        return False


def mounts() -> str:
    return Path("/proc/self/mountinfo").read_text()


def wait_until_gone(folder: Path) -> None:
    end = monotonic() + DEADLINE
    while (folder.exists() or processes_in(folder)) and monotonic() < end:
        sleep(0.05)


def test_nothing_is_left_after_a_run() -> None:
    before = mounts()
    with private_libvirtd() as daemon:
        hypervisor = connect(daemon.uri)
        hypervisor.run_transient(Backend(hypervisor, "qemu").xml())
        hypervisor.close()
        assert processes_in(daemon.folder)
    assert processes_in(daemon.folder) == []
    assert not daemon.folder.exists()
    assert mounts() == before


def test_nothing_is_left_after_kill_9() -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", RUN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    with run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().split()
        assert int(pid) in processes_in(Path(folder))
        run.send_signal(signal.SIGKILL)
    wait_until_gone(Path(folder))
    left = processes_in(Path(folder))
    assert left == []
    assert not Path(folder).exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_gets_a_session_daemon(tmp_path: Path) -> None:
    """As `nobody`, with the system's Python: the supervisor needs nothing else."""
    folder = Path("/tmp") / f"labctl-user-{os.getpid()}"
    folder.mkdir()
    shutil.chown(folder, "nobody")
    script = folder / "supervisor.py"
    shutil.copy(TESTS.parent / "scripts/libvirtd_supervisor.py", script)
    script.chmod(0o644)
    command = ["setpriv", "--reuid", "nobody", "--clear-groups", "--no-new-privs"]
    command += ["/usr/bin/python3", str(script), "--private", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL):
        uri = f"qemu+unix:///session?socket={folder}/run/libvirt/libvirt-sock"
        socket, end = folder / "run/libvirt/libvirt-sock", monotonic() + DEADLINE
        while not socket.exists() and monotonic() < end:
            sleep(0.05)
        hypervisor = connect(uri)
        assert hypervisor.host().is_session
        hypervisor.run_transient(Backend(hypervisor, "qemu").xml())
        assert len(hypervisor.domains()) == 1
        hypervisor.close()
    wait_until_gone(folder)
    assert processes_in(folder) == []
    shutil.rmtree(folder, ignore_errors=True)
