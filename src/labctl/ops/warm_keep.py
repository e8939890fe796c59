"""Keep the state of a fabric that has just been proved healthy, for warm starts."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from labctl import __version__
from labctl.atomic import PART
from labctl.errors import LabctlError
from labctl.hypervisor.api import DomainState, HostFacts, Hypervisor, ObservedDomain
from labctl.model.paths import LabPaths
from labctl.model.snapshot import Kind, Manifest
from labctl.ops.belongings import domains_of
from labctl.ops.capture import capture, running
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.warm_cache import (
    LIMIT,
    WarmCache,
    disk_use,
    finish,
    touch,
    unfinished,
    write_manifest,
)
from labctl.ops.warm_key import fabric_key

_MIB = 1024**2
_FOLDER_MODE = 0o700


def keep(
    ctx: Context,
    hypervisor: Hypervisor,
    host: HostFacts,
    paths: LabPaths,
    lab: str,
    keys: Mapping[str, str],
    *,
    anew: bool,
) -> str:
    """Keep the running lab's state under its nodes' keys; what was done, in one line.

    "" when there was nothing to do; a state of these keys that is there already stays unless it
    is to be taken `anew`. Never fails the run that brought the lab up. The lab stands
    still for the time its memory takes to write.
    """
    cache, started = WarmCache(ctx.home), time.monotonic()
    folder = cache.place(lab, fabric_key(lab, keys))
    if folder.exists() and not anew:
        touch(folder)
        return ""
    cache.drop(folder)
    domains = domains_of(lab, hypervisor.domains())
    if reason := _unfit(domains, keys) or _too_large(cache, lab, domains, paths):
        return f"not kept for warm starts: {reason}"
    part = folder.with_name(folder.name + PART)
    try:
        _fill(ctx, hypervisor, host, paths, lab, domains, part, keys)
    except (LabctlError, OSError) as error:
        return f"not kept for warm starts: {error}"
    finally:
        shutil.rmtree(part, ignore_errors=True)
    size, seconds = disk_use(folder) // _MIB, time.monotonic() - started
    return f"kept for warm starts: {size} MiB in {seconds:.1f} s"


def release(ctx: Context, hypervisor: Hypervisor, lab: str) -> None:
    """Resume what a killed run had paused to keep its state, and remove what it had written.

    The caller holds the lab's lock.
    """
    cache = WarmCache(ctx.home)
    for folder in cache.parts(lab):
        manifest = unfinished(folder)
        if manifest is not None:
            _resume(ctx, hypervisor, manifest)
    cache.sweep(lab)


def _resume(ctx: Context, hypervisor: Hypervisor, manifest: Manifest) -> None:
    domains = domains_of(manifest.lab, hypervisor.domains())
    for node in manifest.running:
        domain = domains.get(node)
        if domain is not None and domain.state is DomainState.PAUSED:
            hypervisor.resume(domain.name)
            ctx.emit(Notice("resumed: an earlier run had paused it to keep its state", node))


def _unfit(domains: Mapping[str, ObservedDomain], keys: Mapping[str, str]) -> str:
    """Why the lab as it is now is not what its file makes of it; "" when it is."""
    if set(domains) != set(keys) or len(running(domains)) < len(keys):
        return "not all of its nodes run"
    pulled = [f"{node}:{end}" for node, it in domains.items() for end in it.unplugged()]
    return f"{', '.join(pulled)} is unplugged" if pulled else ""


def _too_large(
    cache: WarmCache, lab: str, domains: Mapping[str, ObservedDomain], paths: LabPaths
) -> str:
    """Make room for what the state takes at most; why that can't be had, "" when it was."""
    need = sum(domain.memory * _MIB for domain in domains.values()) + disk_use(paths.nodes)
    limit = cache.limit()
    if need > limit:
        return (
            f"it may take {need // _MIB} MiB, the cache may have {limit // _MIB} MiB "
            f"({LIMIT}, and a quarter of the free disk at most)"
        )
    cache.make_room(need, limit, lab=lab)
    return ""


def _fill(
    ctx: Context,
    hypervisor: Hypervisor,
    host: HostFacts,
    paths: LabPaths,
    lab: str,
    domains: Mapping[str, ObservedDomain],
    part: Path,
    keys: Mapping[str, str],
) -> None:
    """The entry, from its manifest (what to resume after a kill) to its last file."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=_FOLDER_MODE, parents=True)
    with contextlib.suppress(OSError):  # not ours: then somebody has seen to its rights
        part.parent.parent.chmod(_FOLDER_MODE)
    clock = time.time()
    manifest = Manifest(
        lab=lab,
        name=part.name.removesuffix(PART),
        kind=Kind.WARM,
        description="",
        created=datetime.fromtimestamp(clock, UTC).isoformat(timespec="seconds"),
        clock=clock,
        parent="",
        with_memory=True,
        labctl=__version__,
        qemu=host.hypervisor_version,
        libvirt=host.libvirt_version,
        uri=hypervisor.uri,
        running=running(domains),
    )
    write_manifest(part, manifest)
    parts, halt = capture(ctx, hypervisor, paths, domains, part, memory=True, cpus=host.cpus)
    whole = manifest._replace(
        complete=True,
        parts=parts,
        clock=halt.clock,
        pause_skew=halt.pause_skew,
        resume_skew=halt.resume_skew,
        halted=halt.seconds,
    )
    finish(part, whole, keys)
