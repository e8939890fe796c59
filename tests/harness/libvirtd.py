"""A libvirtd of the tests' own: nothing of the machine's is touched, nothing is left behind.

As root a privileged daemon in mount and network namespaces, otherwise a session daemon (see
scripts/libvirtd_supervisor.py, which also ends all of it when pytest is killed). /dev/kvm is
hidden from it, so that tests do the same with working, broken and no KVM (docs/adr/0003).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

import pytest

from labctl.errors import HypervisorError
from labctl.hypervisor.connect import connect

SUPERVISOR = Path(__file__).parents[2] / "scripts/libvirtd_supervisor.py"
START_SECONDS = 60.0
END_SECONDS = 30.0
PROGRAMS = ("libvirtd", "virtlogd", "qemu-system-x86_64", "unshare")
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

# Guests run as root and unconfined since their files lie in the tests' folders. Without mount
# namespaces and cgroups of their own they leave no trace on the machine. Output goes through
# virtlogd, libvirt's default, so that <log file> behaves as for users: written by virtlogd,
# rotated by its limits.
QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "logd"
"""
LIBVIRTD_CONF = """\
auth_unix_rw = "none"
"""


@dataclass(frozen=True, slots=True)
class PrivateLibvirtd:
    """A running daemon: its URI, the folder of all its state, its pid and its supervisor's."""

    uri: str
    folder: Path
    pid: int
    supervisor: int

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the daemon (alive, but silent) for the time of the block."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    @contextmanager
    def dead(self) -> Iterator[None]:
        """Kill the daemon for the time of the block; its guests run on. Not for a second time."""
        os.kill(self.pid, signal.SIGKILL)
        yield
        os.kill(self.supervisor, signal.SIGHUP)
        end = monotonic() + START_SECONDS
        while monotonic() < end:
            with suppress(HypervisorError):
                connect(self.uri).close()
                return
            sleep(0.05)


@pytest.fixture(scope="session")
def libvirtd() -> Iterator[PrivateLibvirtd]:
    """A private libvirtd for the whole session."""
    missing = [name for name in PROGRAMS if not shutil.which(name, path=_path())]
    if missing:
        _unavailable(f"not installed: {', '.join(missing)}")
    with private_libvirtd() as daemon:
        yield daemon


@pytest.fixture(scope="session")
def libvirtd_uri(libvirtd: PrivateLibvirtd) -> str:
    """The connection URI of the session's private libvirtd."""
    return libvirtd.uri


@contextmanager
def private_libvirtd() -> Iterator[PrivateLibvirtd]:
    """Start a private libvirtd, end it and all its guests afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="labctl-libvirtd-"))
    privileged = os.geteuid() == 0
    _configure(folder / "etc" if privileged else folder / "etc/libvirt")
    with tempfile.TemporaryFile() as output:
        supervisor = subprocess.Popen(
            _command(folder, privileged=privileged),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, "PATH": _path()},
            start_new_session=True,
        )
        try:
            uri = _uri(folder, privileged=privileged)
            if not _answers(uri, supervisor):
                output.seek(0)
                _unavailable("libvirtd did not start: " + output.read().decode(errors="replace"))
            daemon = _child(supervisor.pid, "libvirtd")
            yield PrivateLibvirtd(uri, folder, daemon, supervisor.pid)
        finally:
            assert supervisor.stdin is not None
            supervisor.stdin.close()
            supervisor.wait(END_SECONDS)
            shutil.rmtree(folder, ignore_errors=True)  # only there if the supervisor never ran


def _command(folder: Path, *, privileged: bool) -> list[str]:
    run = [sys.executable, str(SUPERVISOR), "--private", str(folder)]
    if not privileged:
        return run
    return ["unshare", "--mount", "--net", "--propagation", "private", *run, "--hide-kvm"]


def _configure(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "qemu.conf").write_text(QEMU_CONF)
    (folder / "libvirtd.conf").write_text(LIBVIRTD_CONF)


def _uri(folder: Path, *, privileged: bool) -> str:
    if privileged:
        return f"qemu+unix:///system?socket={folder}/run/libvirt-sock"
    return f"qemu+unix:///session?socket={folder}/run/libvirt/libvirt-sock"


def _answers(uri: str, supervisor: subprocess.Popen[bytes]) -> bool:
    """Wait until the daemon answers; False when it ended or took too long."""
    end = monotonic() + START_SECONDS
    while supervisor.poll() is None and monotonic() < end:
        try:
            connect(uri).close()
        except HypervisorError:
            sleep(0.05)
        else:
            return True
    return False


def _child(parent: int, name: str) -> int:
    """The pid of the child of `parent` called `name`; `unshare` has become the supervisor."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = entry.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if tail.split()[1] == str(parent) and head.endswith(f"({name}"):
            return int(entry.parent.name)
    raise LookupError(f"process {parent} has no child {name}")


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:{_SBIN}"


def _unavailable(reason: str) -> NoReturn:
    """Skip at home, fail where everything must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
