"""Saved show output as evidence: `labctl verify --from DIR`.

Files are named NODE__COMMAND.json or .txt; in COMMAND each run of characters that are neither
letters nor digits is one `_`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from labctl.devices.reading import no_output
from labctl.errors import UsageError
from labctl.verify.evidence import Evidence, slug

LARGEST = 64 << 20
"""Bytes; a larger file is left out. The tables of 1,000 VTEPs stay far below."""
_ON_LINUX = (
    r"cat_proc_meminfo|ping_.*|ip_json_details_link_show_type_vxlan"
    r"|show_ip_ospf_neighbor_json|show_bgp_(?:(?:ipv4_unicast|l2vpn_evpn)_)?summary(?:_json)?"
    r"|show_evpn_vni(?:_\d+_json|_detail_json|_json)?|show_bgp_l2vpn_evpn_vni(?:_\d+)?_json"
    r"|show_bgp_l2vpn_evpn(?:_route(?:_type_(?:multicast|macip|prefix))?)?_json"
    r"|show_evpn_rmac_vni_all_json|show_vrf_vni_json|show_ip_route_vrf_.+_json"
)
_ON_NXOS = (
    r"show_(?:version|system_resources|boot|vdc_resource_detail|running_config(?:_vdc|_nv_overlay)?"
    r"|logging_(?:last(?:_\d+)?|logfile)|ip_ospf_neighbors?(?:_vrf_all)?"
    r"|bgp_(?:ipv4_unicast|l2vpn_evpn)_summary|ip_bgp_summary"
    r"|bgp_l2vpn_evpn(?:_detail|_route_type_[235])?|bgp_evi_\d+|bgp_process_vrf_.+"
    r"|nve_(?:interface(?:_nve_?1)?(?:_detail)?|peers(?:_detail)?|vni(?:_ingress_replication)?)"
    r"|l2route_evpn_(?:mac|mac_ip|imet)_all(?:_detail)?|ip_route_vrf_.+"
    r"|hardware_access_list_tcam_region)(?:_json(?:_pretty|_native)?)?"
)
_COMMAND = re.compile("`([^`]+)`")
_MISSING = re.compile(f"{no_output('X')}(?: or `X`)?".replace("X", "[^`]+"))
_USED = re.compile(f"{_ON_LINUX}|{_ON_NXOS}")


def read_evidence(folder: Path, nodes: Collection[str]) -> Evidence:
    """All files of `folder` that belong to one of `nodes`; the rest is named in the notes.

    Raises UsageError when there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is no folder",
            resolution="give a folder of files NODE__COMMAND.json or NODE__COMMAND.txt",
        )
    outputs: dict[tuple[str, str], str] = {}
    notes: list[str] = []
    for path in sorted(folder.iterdir()):
        notes += _take(path, nodes, outputs)
    if not outputs:
        notes.append(f"{folder}: no file NODE__COMMAND.json or .txt of a node of this lab")
    return Evidence(outputs, notes=tuple(notes), saved=True)


def as_files(node: str, reason: str) -> str:
    """Why something is not known, with files that would do in place of commands without output."""

    def files(match: re.Match[str]) -> str:
        return "no file " + " or ".join(_file(node, each) for each in _COMMAND.findall(match[0]))

    return _MISSING.sub(files, reason)


def _file(node: str, command: str) -> str:
    key = slug(command)
    return f"{node}__{key}.{'json' if key.endswith('_json') else 'txt'}"


def _take(path: Path, nodes: Collection[str], outputs: dict[tuple[str, str], str]) -> Iterator[str]:
    """Add one file to `outputs`; yields what there is to remark."""
    node, separator, command = path.stem.partition("__")
    if path.name.startswith(".") or path.suffix not in (".json", ".txt") or not separator:
        yield f"{path.name}: not a file NODE__COMMAND.json or .txt, left out"
        return
    if node not in nodes:
        yield f"{path.name}: the lab has no node {node}, left out"
        return
    try:
        text = _text(path)
    except (OSError, ValueError) as error:
        yield f"{path.name}: can't be read, left out: {error}"
        return
    key = slug(command)
    if not _USED.fullmatch(key):
        yield f"{path.name}: labctl does not use the output of this command"
    if (node, key) in outputs:
        yield f"{path.name}: a second file for the same command, left out"
        return
    outputs[node, key] = text


def _text(path: Path) -> str:
    """The text of a plain file of bounded size; ValueError when it is none."""
    if not path.is_file():
        raise ValueError("not a plain file")
    with path.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"larger than {LARGEST >> 20} MiB")
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
