#!/usr/bin/env python3
"""Run virtlogd and libvirtd where there is no service manager, and reap what they leave.

Used by scripts/host-libvirtd for a machine's own libvirtd, and by tests/harness for a private
one. Standard library only: it runs before labctl is installed.

libvirt daemonises QEMU and waits for its end by polling its pid, so somebody must reap QEMU at
once. Where PID 1 is slow at that (containers), this process does it as their subreaper.

  --hide-kvm     give the daemons a /dev without kvm. libvirt re-probes QEMU at every call, tens
                 of seconds each, when /dev/kvm opens but is unusable. Needs `unshare --mount`.
  --private DIR  for tests: keep all of libvirt's state in DIR; when standard input is closed (its
                 parent ended or died) or on SIGTERM, kill everything, guests too, and remove DIR.
                 As root needs `unshare --mount --net`; otherwise it is a session daemon.

Without --private SIGTERM ends libvirtd as a service manager would: guests run on, and this process
stays to log and reap them; SIGHUP then starts libvirtd again.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
SOCKET_SECONDS = 30.0
ROOT_FOLDERS = {
    "etc": "/etc/libvirt",
    "lib": "/var/lib/libvirt",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
    "run": "/run/libvirt",
}
USER_FOLDERS = {
    "XDG_CONFIG_HOME": "etc",
    "XDG_DATA_HOME": "lib",
    "XDG_CACHE_HOME": "cache",
    "XDG_RUNTIME_DIR": "run",
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--hide-kvm", action="store_true")
    arguments.add_argument("--private", type=Path, metavar="DIR")
    options = arguments.parse_args()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "can't become a subreaper")
    wakeup = catch_signals()
    try:
        if options.private:
            isolate(options.private)
        if options.hide_kvm:
            hide_kvm()
        if os.geteuid() == 0:
            Path("/var/lock").resolve().mkdir(exist_ok=True)  # where consoles are locked
        supervise(wakeup, private=options.private is not None)
    finally:
        if options.private:
            kill_descendants()
            shutil.rmtree(options.private, ignore_errors=True)
    return 0


# -- namespaces -----------------------------------------------------------------------------


def isolate(folder: Path) -> None:
    """Keep libvirt to `folder`: by its environment for a user, by mounts for root."""
    if os.geteuid() != 0:
        for variable, name in USER_FOLDERS.items():
            (folder / name).mkdir(exist_ok=True)
            os.environ[variable] = str(folder / name)
        return
    # /run gets a tmpfs of its own: pid files lie there, and the host's system bus and systemd are
    # out of reach, so that machined and firewalld never hear of the guests.
    call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name, place in ROOT_FOLDERS.items():
        (folder / name).mkdir(exist_ok=True)
        Path(place).mkdir(parents=True, exist_ok=True)
        call("mount", "--bind", str(folder / name), place)
    # libvirt 9 writes a NAT network's MAC table there, but makes the folder for DHCP alone.
    (folder / "lib/dnsmasq").mkdir(exist_ok=True)
    call("mount", "-t", "sysfs", "sysfs", "/sys")  # /sys/class/net of this network namespace
    call("ip", "link", "set", "lo", "up")


def hide_kvm() -> None:
    """Replace /dev by a copy that lacks kvm.

    Masking the node by a bind mount is no way: libvirt builds guests a /dev of their own and
    fails to move such mounts there. For the same reason mounts stacked under /dev (containers
    have them) are taken apart before the copy takes its place.
    """
    stage = Path(tempfile.mkdtemp(prefix="dev-without-kvm-"))
    call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(stage))
    call("cp", "-a", "-x", "/dev/.", str(stage))
    (stage / "kvm").unlink(missing_ok=True)
    below = mounts_below("/dev/")
    for place in sorted(set(below)):
        if Path(place).is_dir():
            target = stage / place.removeprefix("/dev/")
            target.mkdir(parents=True, exist_ok=True)
            call("mount", "--bind", place, str(target))
    for place in sorted(below, reverse=True):
        call("umount", "--lazy", place)
    call("mount", "--move", str(stage), "/dev")
    stage.rmdir()


def mounts_below(prefix: str) -> list[str]:
    """Mount points below `prefix`, once per mount where several are stacked on one."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [place for line in lines if (place := line.split()[1]).startswith(prefix)]


def call(*argv: str) -> None:
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


# -- processes ------------------------------------------------------------------------------


def catch_signals() -> int:
    """Turn signals into bytes on the descriptor returned."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return reading


def supervise(wakeup: int, *, private: bool) -> None:
    """Start both daemons, do as signals tell, reap, and linger for guests that still run."""
    virtlogd = spawn("virtlogd")
    wait_for_socket(virtlogd_socket())
    libvirtd = spawn("libvirtd")
    watched = [wakeup, sys.stdin.fileno()] if private else [wakeup]
    while True:
        ready, _, _ = select.select(watched, [], [])
        told = set(drain(wakeup))
        ending = bool(told & {signal.SIGTERM, signal.SIGINT})
        if private and (ending or is_closed(sys.stdin.fileno(), ready)):
            return
        if ending:
            send(libvirtd, signal.SIGTERM)
        reap()
        left = children_by_parent().get(os.getpid(), [])
        if signal.SIGHUP in told and libvirtd not in left:
            libvirtd = spawn("libvirtd")
        elif left == [virtlogd]:
            send(virtlogd, signal.SIGTERM)
        elif not left:
            return


def is_closed(descriptor: int, ready: list[int]) -> bool:
    return descriptor in ready and not os.read(descriptor, 4096)


def spawn(program: str) -> int:
    """Start a daemon in the foreground of a session of its own; its pid."""
    return subprocess.Popen([program], stdin=subprocess.DEVNULL, start_new_session=True).pid


def send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def drain(wakeup: int) -> bytes:
    with contextlib.suppress(BlockingIOError):
        return os.read(wakeup, 4096)
    return b""


def reap() -> None:
    """Take the exit codes of all children that have ended, daemons and orphaned guests alike."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def kill_descendants() -> None:
    """End every process below this one, however often they fork meanwhile."""
    while below := list(descendants(os.getpid(), children_by_parent())):
        for pid in below:
            send(pid, signal.SIGKILL)
        time.sleep(0.02)
        reap()


def descendants(pid: int, tree: dict[int, list[int]]) -> Iterator[int]:
    for child in tree.get(pid, ()):
        yield child
        yield from descendants(child, tree)


def children_by_parent() -> dict[int, list[int]]:
    """Children by parent, of all processes there are."""
    tree: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                tree.setdefault(int(parent), []).append(int(entry.name))
    return tree


# -- sockets --------------------------------------------------------------------------------


def virtlogd_socket() -> Path:
    """Where libvirtd looks for virtlogd: system-wide for root, per user otherwise."""
    if os.geteuid() == 0:
        return Path("/run/libvirt/virtlogd-sock")
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    return Path(runtime) / "libvirt/virtlogd-sock"


def is_served(path: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def wait_for_socket(path: Path) -> None:
    end = time.monotonic() + SOCKET_SECONDS
    while not is_served(path):
        if time.monotonic() > end:
            raise SystemExit(f"virtlogd does not serve {path} after {SOCKET_SECONDS:g} s")
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
