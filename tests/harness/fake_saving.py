"""The fake's part that saves memory, and the snapshots, layers and pools of others."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from harness.fake_calls import call
from harness.fake_state import FakeDomain, checked, refusal
from harness.faults import Faults
from labctl.hypervisor import parse
from labctl.hypervisor.api import DomainState, ObservedPool, ObservedSnapshot
from labctl.images.chain import chain

_MAGIC = "LibvirtQemudSave\n"
"""As libvirt's saved memory begins (src/qemu/qemu_saveimage.h)."""


class FakeSaving:
    """Mixed into FakeHypervisor, which has the domains."""

    faults: Faults
    _lock: threading.RLock
    _domains: dict[str, FakeDomain]

    def __init__(self) -> None:
        self.foreign: dict[str, list[ObservedSnapshot]] = {}
        """By domain: what somebody took with virsh."""
        self.storage: tuple[ObservedPool, ...] = ()

    @call
    def suspend(self, name: str) -> None:
        domain = self._known(name)
        if domain.live is None:
            raise refusal("VIR_ERR_OPERATION_INVALID", f"domain {name} is not running")
        domain.state = DomainState.PAUSED

    @call
    def save_memory(self, name: str, file: Path) -> None:
        domain = self._known(name)
        if domain.live is None:
            raise refusal("VIR_ERR_OPERATION_INVALID", f"domain {name} is not running")
        file.write_text(_MAGIC + ElementTree.tostring(domain.live, encoding="unicode"))

    @call
    def restore_memory(self, file: Path, xml: str) -> None:
        root = checked(xml, "domain")
        domain = self._known(root.findtext("name", ""))
        if domain.live is not None:
            raise refusal("VIR_ERR_OPERATION_INVALID", "the domain is active")
        if _hardware(root) != _hardware(ElementTree.fromstring(_saved(file))):
            raise refusal("VIR_ERR_CONFIG_UNSUPPORTED", "the saved machine is another one")
        domain.live, domain.state = root, DomainState.PAUSED

    @call
    def saved_xml(self, file: Path) -> str:
        return _saved(file)

    @call
    def definition(self, name: str) -> str | None:
        domain = self._domains.get(name)
        if domain is None or domain.config is None:
            return None
        return ElementTree.tostring(domain.config, encoding="unicode")

    @call
    def snapshots(self, name: str) -> tuple[ObservedSnapshot, ...]:
        self._known(name)
        return tuple(self.foreign.get(name, ()))

    @call
    def delete_snapshot(self, name: str, snapshot: str, *, metadata_only: bool) -> None:
        kept = self.foreign.get(name, [])
        for each in [each for each in kept if each.name == snapshot]:
            kept.remove(each)
            for file in () if metadata_only else each.files:
                Path(file).unlink(missing_ok=True)

    @call
    def block_commit(self, name: str, disk: str, base: str, *, deadline: float) -> None:
        domain = self._known(name)
        source = _source(domain.live, disk)
        if source is None:
            raise refusal("VIR_ERR_OPERATION_INVALID", f"domain {name} is not running")
        layers = chain(Path(source.get("file", "")))
        if Path(base) not in layers:
            raise refusal("VIR_ERR_INVALID_ARG", f"could not find base image {base} in chain")
        for layer in layers[: layers.index(Path(base))]:
            os.remove(layer)  # noqa: PTH107  libvirtd's doing: no place to kill labctl at
        for element in domain.elements:
            if (found := _source(element, disk)) is not None:
                found.set("file", base)

    @call
    def pools(self) -> tuple[ObservedPool, ...]:
        return self.storage

    def _known(self, name: str) -> FakeDomain:
        if name not in self._domains:
            raise refusal("VIR_ERR_NO_DOMAIN", f"no domain {name}")
        return self._domains[name]


def _saved(file: Path) -> str:
    try:
        text = file.read_text()
    except OSError as error:
        raise refusal("VIR_ERR_SYSTEM_ERROR", f"failed to open {file}: {error}") from None
    if not text.startswith(_MAGIC):
        raise refusal("VIR_ERR_OPERATION_FAILED", f"{file} is no saved memory")
    return text.removeprefix(_MAGIC)


def _hardware(root: Element) -> object:
    """What a guest sees of its machine, as far as the fake cares."""
    machine = root.find("os/type")
    return (
        root.findtext("memory"),
        root.findtext("vcpu"),
        None if machine is None else machine.get("machine"),
        [parse.mac_of(nic) for nic in root.iterfind("devices/interface")],
        root.findtext("uuid"),
    )


def _source(root: Element | None, target: str) -> Element | None:
    for disk in () if root is None else root.iterfind("devices/disk"):
        found = disk.find("target")
        if found is not None and found.get("dev") == target:
            return disk.find("source")
    return None
