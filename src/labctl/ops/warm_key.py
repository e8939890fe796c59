"""What determines a booted node, as one key: a kept state fits a node whose key it was kept under.

Host ports of links are no part of it (a machine is restored with others), nor are times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

from labctl.hypervisor.api import HostFacts
from labctl.model.desired import Desired, DesiredNode
from labctl.model.paths import Home
from labctl.model.snapshot import FORMAT
from labctl.ops.secrets import with_secrets

_CPU = Path("/proc/cpuinfo")
_CPU_FIELDS = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags")


def node_keys(home: Home, host: HostFacts, desired: Desired) -> Mapping[str, str]:
    """The key of every node: machine, day-0 with its secrets, golden image, QEMU and libvirt."""
    site = (str(FORMAT), host.hypervisor_version, host.libvirt_version, desired.subnet)
    cpu = host_cpu()
    return {name: _key(home, node, site, cpu) for name, node in desired.nodes.items()}


def fabric_key(lab: str, keys: Mapping[str, str]) -> str:
    """The key of a whole lab, from those of its nodes."""
    return _digest((lab, *(f"{node} {keys[node]}" for node in sorted(keys))))


def host_cpu() -> str:
    """What KVM guests see of the host's processor; "" where the kernel doesn't tell.

    Their memory is only good for the same one: they run with `host-passthrough`.
    """
    try:
        first = _CPU.read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        return ""
    return "\n".join(line for line in first.splitlines() if line.split("\t")[0] in _CPU_FIELDS)


def _key(home: Home, node: DesiredNode, site: Iterable[str], cpu: str) -> str:
    root = ElementTree.fromstring(node.domain_xml)
    files = with_secrets(node.day0, home).files
    day0 = [f"{name}\n{files[name]}" for name in sorted(files)]
    passed_through = cpu if root.get("type") == "kvm" else ""
    return _digest((*site, passed_through, _machine(root), node.digests["image"], *day0))


def _machine(root: ElementTree.Element) -> str:
    """The machine without labctl's mark and without the host's UDP ports."""
    for mark in root.findall("metadata"):
        root.remove(mark)
    for wire in root.findall("devices/interface[@type='udp']/source"):
        for end in (wire, *wire.findall("local")):
            end.attrib.pop("port", None)
    return ElementTree.tostring(root, encoding="unicode")


def _digest(parts: Iterable[str]) -> str:
    """Of the parts' digests, so that no two lists of parts read the same."""
    whole = "".join(hashlib.sha256(part.encode()).hexdigest() for part in parts)
    return hashlib.sha256(whole.encode()).hexdigest()
