"""Snapshots that libvirt keeps of a domain, and layers to merge: none of labctl's own making.

labctl's snapshots are files of its own; whatever libvirt lists was made with virsh, virt-manager
or from cron.
"""

from __future__ import annotations

import time
from xml.etree import ElementTree

import libvirt

from labctl.errors import DeadlineError, HypervisorError
from labctl.hypervisor.domains import need
from labctl.hypervisor.observed import ObservedSnapshot
from labctl.hypervisor.refusal import refused

_POLL_SECONDS = 0.1
_COMMIT = libvirt.VIR_DOMAIN_BLOCK_COMMIT_ACTIVE | libvirt.VIR_DOMAIN_BLOCK_COMMIT_DELETE


def snapshots(connection: libvirt.virConnect, name: str) -> tuple[ObservedSnapshot, ...]:
    """The snapshots libvirt lists of a domain, oldest first; () of drivers that keep none."""
    domain = need(connection, name)
    with refused(f"list the snapshots of {name}"):
        try:
            # parents first; libvirt's times are whole seconds
            found = domain.listAllSnapshots(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
                return ()
            raise
        read = [_observed(snapshot.getXMLDesc(0)) for snapshot in found]
    return tuple(sorted(read, key=lambda each: each.created))


def delete_snapshot(
    connection: libvirt.virConnect, name: str, snapshot: str, *, metadata_only: bool
) -> None:
    """Delete one snapshot; `metadata_only` forgets it and leaves all files as they are."""
    domain = need(connection, name)
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY if metadata_only else 0
    with refused(f"delete snapshot {snapshot} of {name}"):
        try:
            domain.snapshotLookupByName(snapshot).delete(flags)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT:
                raise


def block_commit(
    connection: libvirt.virConnect, name: str, disk: str, base: str, *, deadline: float
) -> None:
    """Merge all layers above the file `base` into it while the domain runs, and go on with it.

    `disk` is the target's name (vda). libvirt deletes the merged layers where it can. Raises
    DeadlineError when it takes longer than `deadline` seconds (the job is aborted: nothing is
    lost, the layers stay), HypervisorError where libvirt refuses. A merge that an earlier run began
    and never ended is begun anew.
    """
    domain = need(connection, name)
    with refused(f"merge the layers of {name}'s {disk}"):
        _end_forgotten(domain, disk)
        _begin(domain, disk, base)
        try:
            _wait(domain, name, disk, time.monotonic() + deadline)
            domain.blockJobAbort(disk, libvirt.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT)
        except BaseException:
            _abort(domain, disk)
            raise


def _end_forgotten(domain: libvirt.virDomain, disk: str) -> None:
    """A merge whose run was killed goes on mirroring for ever, and keeps another from beginning."""
    job = domain.blockJobInfo(disk, 0)
    if job and job["type"] == libvirt.VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT:
        domain.blockJobAbort(disk, 0)


def _begin(domain: libvirt.virDomain, disk: str, base: str) -> None:
    try:
        domain.blockCommit(disk, base, None, 0, _COMMIT)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        # libvirt before 9.0 knows no DELETE for an active commit (NEWS.rst, v9.0.0)
        domain.blockCommit(disk, base, None, 0, libvirt.VIR_DOMAIN_BLOCK_COMMIT_ACTIVE)


def _wait(domain: libvirt.virDomain, name: str, disk: str, end: float) -> None:
    """Until the job mirrors: libvirt's own word is `ready` in the live XML, not cur == end."""
    while not _is_ready(domain.XMLDesc(0), disk):
        if not domain.blockJobInfo(disk, 0):
            raise HypervisorError(
                f"the merge of {name}'s {disk} ended by itself",
                details="libvirt lists no block job any more",
                resolution="see /var/log/libvirt/qemu/; `labctl hygiene` tells how it stands",
            )
        if time.monotonic() > end:
            raise DeadlineError(
                f"the layers of {name}'s {disk} were not merged in time; they stay as they were",
                resolution="the guest writes faster than the merge: stop it, then merge",
            )
        time.sleep(_POLL_SECONDS)


def _is_ready(xml: str, disk: str) -> bool:
    for element in ElementTree.fromstring(xml).iterfind("devices/disk"):
        target, mirror = element.find("target"), element.find("mirror")
        if target is not None and mirror is not None and target.get("dev") == disk:
            return mirror.get("ready") == "yes"
    return False


def _abort(domain: libvirt.virDomain, disk: str) -> None:
    """Best effort: the error that led here is the one to report."""
    try:
        domain.blockJobAbort(disk, 0)
    except libvirt.libvirtError:
        return


def _observed(xml: str) -> ObservedSnapshot:
    root = ElementTree.fromstring(xml)
    memory = root.find("memory")
    kinds = {each.get("snapshot", "") for each in root.iterfind("disks/disk")}
    sources = root.iterfind("disks/disk[@snapshot='external']/source")
    files = [source.get("file", "") for source in sources]
    if memory is not None:
        kinds.add(memory.get("snapshot", ""))
        files += [memory.get("file", "")]
    return ObservedSnapshot(
        name=root.findtext("name", ""),
        created=int(root.findtext("creationTime", "0")),
        external="external" in kinds,
        memory=memory is not None and memory.get("snapshot") in ("internal", "external"),
        parent=root.findtext("parent/name", ""),
        files=tuple(filter(None, files)),
    )
