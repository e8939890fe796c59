"""What a lab owns on its host, found by labctl's own mark, never by guessing from names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from labctl.hypervisor.api import Hypervisor, ObservedDomain
from labctl.model.identity import network_name
from labctl.model.paths import Home, LabPaths
from labctl.ops.labs import rank
from labctl.ops.results import Belongings
from labctl.ops.snapshots import Snapshots


def domains_of(lab: str, domains: Iterable[ObservedDomain]) -> Mapping[str, ObservedDomain]:
    """The lab's domains by node name, in the order of nodes: spines, leaves, borders, hosts."""
    return {
        domain.metadata.node: domain
        for domain in sorted(domains, key=rank)
        if domain.metadata is not None and domain.metadata.lab == lab
    }


def is_bare(paths: LabPaths) -> bool:
    """Whether the lab's folder is not there, or holds nothing of a lab: a journal, empty folders.

    A folder that can't be read, or is none, counts as a lab.
    """
    try:
        return all(_is_nothing(path, paths) for path in paths.folder.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _is_nothing(path: Path, paths: LabPaths) -> bool:
    if path.is_symlink() or not path.is_dir():
        return path == paths.journal
    return not any(path.iterdir())


def belongings_of(lab: str, hypervisor: Hypervisor, home: Home) -> Belongings:
    """All the lab owns: domains, networks, its folder."""
    domains = domains_of(lab, hypervisor.domains())
    networks = [
        network.name
        for network in hypervisor.networks()
        if network.lab == lab and network.name == network_name(lab)
    ]
    folder = home.lab(lab).folder
    return Belongings(
        lab,
        tuple(domain.name for domain in domains.values()),
        tuple(networks),
        folder if folder.exists() else None,
        Snapshots(home.lab(lab)).names(),
    )
