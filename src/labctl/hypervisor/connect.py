"""Opening a connection: which URI, within what time, and what to say when it fails."""

from __future__ import annotations

import contextlib
import math
import os
import threading
from shlex import quote
from urllib.parse import urlsplit

import libvirt

from labctl.errors import HypervisorError
from labctl.hypervisor.libvirt_adapter import LibvirtHypervisor
from labctl.hypervisor.refusal import describe

PATIENCE = 20.0
"""Seconds a daemon may be silent before it counts as hung: to connect, and later in any call."""
_QEMU_PATHS = ("/system", "/session")
_PINGS = 3
"""Unanswered keepalive messages after which the connection is given up."""


def connect(
    uri: str | None = None, *, readonly: bool = False, patience: float = PATIENCE
) -> LibvirtHypervisor:
    """A Hypervisor on `uri`, or on what virsh would take by default.

    A daemon that is silent for `patience` seconds fails the call at hand with HypervisorError;
    a busy one that answers keepalive messages is waited for. Raises HypervisorError when the
    connection can't be made.
    """
    target = uri or default_uri()

    def another() -> libvirt.virConnect:
        return open_connection(target, patience, readonly=readonly)

    return LibvirtHypervisor(target, another)


def default_uri() -> str:
    """As virsh: LIBVIRT_DEFAULT_URI, else the system daemon for root, the session's for others."""
    if named := os.environ.get("LIBVIRT_DEFAULT_URI"):
        return named
    return "qemu:///system" if os.geteuid() == 0 else "qemu:///session"


def open_connection(uri: str, patience: float, *, readonly: bool = False) -> libvirt.virConnect:
    """A bare libvirt connection with keepalive, made within `patience` seconds.

    virConnectOpen has no deadline of its own: a stopped daemon's socket still accepts. So it
    runs in a thread that is left behind when it takes too long.
    """
    _prepare()
    opened: list[libvirt.virConnect] = []
    failed: list[libvirt.libvirtError] = []

    def attempt() -> None:
        try:
            opened.append(libvirt.openReadOnly(uri) if readonly else libvirt.open(uri))
        except libvirt.libvirtError as error:
            failed.append(error)

    worker = threading.Thread(target=attempt, name=f"connect {uri}", daemon=True)
    worker.start()
    worker.join(patience)
    if failed:
        raise _unreachable(uri, failed[0])
    if not opened:
        raise HypervisorError(
            f"no answer from libvirt at {uri} within {patience:g} s",
            details="its socket takes connections, but nobody serves them",
            resolution="the daemon hangs or the network drops packets: restart libvirtd "
            "(`systemctl restart libvirtd`, or `scripts/host-libvirtd restart` without systemd)",
        )
    _keep_alive(opened[0], patience)
    return opened[0]


def _keep_alive(connection: libvirt.virConnect, patience: float) -> None:
    """Have libvirt drop the connection, failing all its calls, when the daemon falls silent."""
    interval = max(1, math.ceil(patience / (_PINGS + 1)))
    # In-process drivers (test:///) have no peer to ping.
    with contextlib.suppress(libvirt.libvirtError):
        connection.setKeepAlive(interval, _PINGS)


_preparing = threading.Lock()
_prepared = False


def _prepare() -> None:
    """Once per process: libvirt prints nothing, and its event loop runs.

    The loop must be there before the first connection; keepalive and console streams need it.
    """
    global _prepared
    with _preparing:
        if _prepared:
            return
        libvirt.registerErrorHandler(_say_nothing, None)
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_run_events, name="libvirt events", daemon=True).start()
        _prepared = True


def _run_events() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _say_nothing(_context: None, _error: tuple[object, ...]) -> None:
    """libvirt's default handler prints; every error reaches us as an exception anyway."""


def _unreachable(uri: str, error: libvirt.libvirtError) -> HypervisorError:
    words = error.get_error_message() or str(error)
    return HypervisorError(
        f"can't connect to libvirt at {uri}: {words}",
        details=describe(error),
        resolution=_remedy(uri, error.get_error_code() or 0, words),
        causes=(error,),
    )


def _is_known(uri: str) -> bool:
    """Told from the URI alone: without a daemon, libvirt's own words are about its socket."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # brackets that hold no address
        return False
    driver = parts.scheme.partition("+")[0]
    return driver == "test" or (driver == "qemu" and parts.path in _QEMU_PATHS)


def _remedy(uri: str, code: int, words: str) -> str:
    if not _is_known(uri):
        return (
            f"{uri} is not a libvirt URI labctl knows: "
            "qemu:///system, qemu:///session, qemu+ssh://USER@HOST/system"
        )
    if code in (libvirt.VIR_ERR_NO_CONNECT, libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_XML_ERROR):
        return "check the URI: qemu:///system, qemu:///session, qemu+ssh://USER@HOST/system, ..."
    if "ssh" in words:
        return "see whether `ssh HOST virsh version` works without a question"
    if code in (libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_AUTH_UNAVAILABLE) or (
        "Permission denied" in words or "authentication" in words
    ):
        return "run as root, join the group `libvirt` and log in again, or use qemu:///session"
    if "No such file" in words or "Connection refused" in words:
        return (
            "start libvirtd: `systemctl start libvirtd`, "
            "or `scripts/host-libvirtd start` where there is no systemd"
        )
    return f"see whether `virsh -c {quote(uri)} version` works and what libvirtd's log says"
