"""libvirt's storage pools, to look at: labctl makes none."""

from __future__ import annotations

from xml.etree import ElementTree

import libvirt

from labctl.hypervisor.observed import ObservedPool
from labctl.hypervisor.refusal import refused


def list_pools(connection: libvirt.virConnect) -> tuple[ObservedPool, ...]:
    """All storage pools, by name; () of drivers that have none."""
    with refused("list the storage pools"):
        try:
            pools = connection.listAllStoragePools(0)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
                return ()
            raise
        found = [_observed(pool) for pool in pools]
    return tuple(sorted(found, key=lambda pool: pool.name))


def _observed(pool: libvirt.virStoragePool) -> ObservedPool:
    root = ElementTree.fromstring(pool.XMLDesc(0))
    _, capacity, _, available = pool.info()
    return ObservedPool(
        name=pool.name(),
        path=root.findtext("target/path", ""),
        active=bool(pool.isActive()),
        capacity=capacity,
        available=available,
    )
