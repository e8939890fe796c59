"""A Nexus-shaped machine captured and revived: 8 GiB, OVMF, SATA, e1000, a day-0 CD.

No Nexus is in it, so the firmware's shell stands for it: a variable set in that shell lives in
the machine's memory alone, and is there again after the machine was cut off and revived.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.nexus import LAB, leaf_xml
from labctl.hypervisor.api import ConsoleStream, DomainState, Hypervisor
from labctl.hypervisor.connect import connect
from labctl.model.metadata import LabMetadata, to_xml
from labctl.model.paths import Home
from labctl.model.snapshot import Power
from labctl.ops.belongings import domains_of
from labctl.ops.capture import capture, together
from labctl.ops.context import Context
from labctl.ops.reinstate import damage, kept_definition, place, revive
from labctl.render.domain import with_mark

from .test_nexus_domains import NAME, files

pytestmark = [pytest.mark.integration, pytest.mark.libvirtd, pytest.mark.timeout(900)]

BOOT_SECONDS, ANSWER_SECONDS, KEY_SECONDS = 300.0, 60.0, 0.05
MEMORY = 8192


@pytest.fixture
def hypervisor(libvirtd_uri: str) -> Iterator[Hypervisor]:
    opened = connect(libvirtd_uri)
    yield opened
    opened.destroy(NAME)
    opened.undefine(NAME)
    opened.close()


def typed(console: ConsoleStream, text: str) -> None:
    """As a person types: the firmware loses what comes faster."""
    for key in f"{text}\r":
        console.write(key.encode())
        time.sleep(KEY_SECONDS)


def seen(console: ConsoleStream, what: bytes, seconds: float) -> bytes:
    """All that came until `what` did."""
    end, data = time.monotonic() + seconds, b""
    while what not in data:
        assert time.monotonic() < end, data[-2000:]
        data += console.read(0.5)
    return data


def xml_in(home: Path) -> str:
    xml = leaf_xml("nxosv9k-7.0.3.I7.4", 1, home=str(home))
    assert f"<memory unit='MiB'>{MEMORY}<" in xml
    mark = LabMetadata(LAB, "leaf-1", "leaf", "nxosv9k", "0", "s", {"image": "0" * 64})
    return with_mark(xml, to_xml(mark))


def test_its_memory_comes_back(hypervisor: Hypervisor, libvirtd_uri: str, tmp_path: Path) -> None:
    files(tmp_path)
    ctx = Context(Home(tmp_path), libvirtd_uri, connect)
    paths, kept = ctx.home.lab(LAB), tmp_path / "kept"
    hypervisor.define(xml_in(tmp_path))
    hypervisor.start(NAME)
    console = hypervisor.open_console(NAME)
    seen(console, b"Shell>", BOOT_SECONDS)
    typed(console, "set -v proof 4711")
    seen(console, b"Shell>", ANSWER_SECONDS)
    console.close()

    started = time.monotonic()
    domains = domains_of(LAB, hypervisor.domains())
    parts, halt = capture(ctx, hypervisor, paths, domains, kept, memory=True, cpus=1)
    captured = time.monotonic()
    (part,) = parts
    assert (part.power, part.memory) == (Power.RUNNING, MEMORY)
    hypervisor.destroy(NAME)
    hypervisor.undefine(NAME)
    paths.node("leaf-1").overlay.unlink()

    proved = time.monotonic()
    assert damage(kept, part) == ()
    revived = time.monotonic()
    definition = kept_definition(kept, part)
    hypervisor.define(definition)
    place(kept, part, paths.node("leaf-1"))
    assert revive(hypervisor, kept, part, definition)
    together([NAME], hypervisor.resume, [])
    ended = time.monotonic()
    print(  # noqa: T201
        f"8 GiB machine: captured in {captured - started:.1f} s (stood still {halt.seconds:.1f} s, "
        f"{part.size / 2**20:.0f} MiB), read in {revived - proved:.1f} s, "
        f"revived in {ended - revived:.1f} s"
    )
    domain = hypervisor.domain(NAME)
    assert domain is not None
    assert domain.state is DomainState.RUNNING
    console = hypervisor.open_console(NAME)
    typed(console, "set proof")
    answer = seen(console, b"4711", ANSWER_SECONDS)
    assert b"UEFI Interactive Shell" not in answer  # it did not boot anew
    console.close()
