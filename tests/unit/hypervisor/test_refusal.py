"""Who died: libvirtd, so that nothing more can be done, or one machine's QEMU."""

from __future__ import annotations

import libvirt
import pytest

from labctl.errors import ConnectionLost
from labctl.hypervisor.refusal import translate


def said(words: str) -> libvirt.libvirtError:
    error = libvirt.libvirtError(words)
    error.err = (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_QEMU, words, 2, "", "", "", 0, 0)
    return error


@pytest.mark.parametrize(
    ("words", "is_lost"),
    [
        ("End of file while reading data: Input/output error", True),
        ("Cannot recv data: Connection reset by peer", True),
        ("internal error: client socket is closed", True),
        ("Unable to read from monitor: Connection reset by peer", False),
        ("Unable to write to monitor: Broken pipe", False),
    ],
)
def test_a_dead_qemu_is_no_dead_libvirtd(words: str, is_lost: bool) -> None:
    error = translate(said(words), "save the memory of lab.a")
    assert isinstance(error, ConnectionLost) is is_lost
    assert words in error.brief
    assert ("libvirtd died" in error.resolution) is is_lost
