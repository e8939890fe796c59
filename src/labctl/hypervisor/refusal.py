"""libvirt's refusals in words: what was being done, libvirt's code and text, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import libvirt

from labctl.errors import ConnectionLost, HypervisorError

GONE = frozenset({libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_NETWORK})
UNSUPPORTED = frozenset({libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_OPERATION_UNSUPPORTED})

# libvirt, src/rpc/virnetclient.c, virnetsocket.c: no code of their own tells these from others.
_LOST = (
    "keepalive",
    "client socket is closed",
    "End of file while reading data",
    "Connection reset",
    "Broken pipe",
)
_MONITOR = "monitor"
"""libvirtd's own link to a QEMU, in the same words: that QEMU died, libvirtd lives
(src/qemu/qemu_monitor.c: "Unable to read from monitor", "Unable to write to monitor")."""
_GONE_DAEMON = "libvirtd died or hangs: look at its log, restart it and run the command again"
_RESOLUTIONS = {
    libvirt.VIR_ERR_NO_DOMAIN: "`labctl status` lists what is there; `labctl up` makes it anew",
    libvirt.VIR_ERR_NO_NETWORK: "`labctl up` makes the network anew",
    libvirt.VIR_ERR_AUTH_FAILED: "run as root, or join the group `libvirt` and log in again",
    libvirt.VIR_ERR_AUTH_UNAVAILABLE: "run as root, or join the group `libvirt` and log in again",
    libvirt.VIR_ERR_AUTH_CANCELLED: "run as root, or join the group `libvirt` and log in again",
    libvirt.VIR_ERR_NO_SUPPORT: "this libvirt driver can't do it; a qemu:// connection can",
    libvirt.VIR_ERR_OPERATION_DENIED: "the connection is read-only or the access is not granted",
    libvirt.VIR_ERR_XML_INVALID_SCHEMA: "a fault of the template or of text put into it",
    libvirt.VIR_ERR_XML_DETAIL: "a fault of the template or of text put into it",
    libvirt.VIR_ERR_XML_ERROR: "a fault of the template or of text put into it",
    libvirt.VIR_ERR_OPERATION_TIMEOUT: "another call holds the machine; try again",
    libvirt.VIR_ERR_AGENT_UNRESPONSIVE: "wait for the guest to boot; `labctl logs` shows how far",
}


@contextmanager
def refused(action: str) -> Iterator[None]:
    """Turn a libvirtError raised inside into a HypervisorError saying that `action` failed."""
    try:
        yield
    except libvirt.libvirtError as error:
        raise translate(error, action) from error


def translate(error: libvirt.libvirtError, action: str) -> HypervisorError:
    """The HypervisorError for a libvirtError raised while `action` was attempted."""
    words = (error.get_error_message() or str(error)).strip()
    first_line, _, rest = words.partition("\n")
    lost = any(sign in words for sign in _LOST) and _MONITOR not in words
    return (ConnectionLost if lost else HypervisorError)(
        f"can't {action}: {first_line}",
        details=f"{rest}\n{describe(error)}".lstrip(),
        resolution=_GONE_DAEMON if lost else _resolution(error),
        causes=(error,),
    )


def describe(error: libvirt.libvirtError) -> str:
    """libvirt's number and name for the error and the part of libvirt it came from."""
    code, domain = error.get_error_code() or 0, error.get_error_domain() or 0
    return f"libvirt error {code} ({_constant('VIR_ERR_', code)}), from {_origin(domain)}"


def _resolution(error: libvirt.libvirtError) -> str:
    if "/libvirt/dnsmasq/" in str(error):
        return "libvirt lacks its folder: as root, `mkdir -p /var/lib/libvirt/dnsmasq`"
    known = _RESOLUTIONS.get(error.get_error_code() or 0)
    return known or "libvirtd's log and /var/log/libvirt/qemu/ may say more"


@cache
def _names(prefix: str) -> dict[int, str]:
    return {value: name for name, value in vars(libvirt).items() if name.startswith(prefix)}


def _constant(prefix: str, value: int) -> str:
    return _names(prefix).get(value, "unknown to this libvirt-python")


def _origin(value: int) -> str:
    return _constant("VIR_FROM_", value).removeprefix("VIR_FROM_").lower()
