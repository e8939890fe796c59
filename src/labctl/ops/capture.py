"""A lab's machines halted at one instant, and each one's state put into files.

All are paused together, saved in parallel, and resumed together whatever fails in between; the
digests are taken when the lab runs again. Snapshots and warm starts are made of it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from labctl.atomic import sync_all
from labctl.errors import Interrupted, LabctlError, SnapshotError
from labctl.hypervisor.api import DomainState, Hypervisor, ObservedDomain
from labctl.images.digest import file_digest
from labctl.images.transfer import copy
from labctl.model.paths import LabPaths, NodePaths
from labctl.model.snapshot import DEFINITION, DISK, MEMORY, Part, PartFile, Power
from labctl.ops.context import Context
from labctl.ops.runner import run_nodes

_PAUSE_WIDTH = 32
"""All at once, or nearly: each is one short call to libvirt."""
_SAVES_PER_CPU = 3
"""A save also waits for its disk. Measured on two CPUs, a whole create of six guests of 256 MiB:
1.23 s with one save at a time, 0.99 s with two, 0.95 s with three, 0.89 s with six."""
_POWERS = {DomainState.RUNNING: Power.RUNNING, DomainState.PAUSED: Power.PAUSED}


@dataclass(frozen=True, slots=True)
class Halt:
    """How long the lab stood still, and how far its machines were apart at it (seconds)."""

    clock: float
    """Since 1970, at the first machine's halt."""
    pause_skew: float
    resume_skew: float
    seconds: float


def running(domains: Mapping[str, ObservedDomain]) -> tuple[str, ...]:
    """The nodes whose CPUs run: those that a capture pauses and resumes."""
    return tuple(n for n, domain in domains.items() if domain.state is DomainState.RUNNING)


def capture(
    ctx: Context,
    hypervisor: Hypervisor,
    paths: LabPaths,
    domains: Mapping[str, ObservedDomain],
    folder: Path,
    *,
    memory: bool,
    cpus: int,
    durable: bool = False,
) -> tuple[tuple[Part, ...], Halt]:
    """The state of all `domains` (by node) at one instant, in `folder`/NODE; the lab runs on.

    The host's `cpus` bound how many machines are saved at a time; `durable` writes all of `folder`
    through to the disk. Raises the first node's error, or Interrupted, with the lab running on; the
    folder is the caller's to remove.
    """
    with _halted(hypervisor, domains) as halt:
        outcomes = run_nodes(
            ctx,
            "save",
            list(domains),
            lambda node: _save(
                hypervisor, paths.node(node), domains[node], folder / node, memory=memory
            ),
            width=cpus * _SAVES_PER_CPU,
        )
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    _heed(ctx)
    with ThreadPoolExecutor(cpus + 1) as pool:
        # The disk writes while the digests are taken.
        written = pool.submit(sync_all, folder) if durable else None
        parts = tuple(pool.map(lambda node: _seal(domains[node], node, folder / node), domains))
        if written is not None:
            written.result()
    _heed(ctx)
    return parts, halt.told()


def _heed(ctx: Context) -> None:
    """Raise Interrupted where the user has had enough: all saves may have begun before that."""
    if ctx.interrupt.is_set():
        raise Interrupted("saving the lab's state was interrupted")


class _Clock:
    """When each machine halted and ran on."""

    def __init__(self) -> None:
        self.clock = time.time()
        self.halted: list[float] = []
        self.resumed: list[float] = []

    def told(self) -> Halt:
        if not self.halted or not self.resumed:
            return Halt(self.clock, 0.0, 0.0, 0.0)
        return Halt(
            self.clock,
            max(self.halted) - min(self.halted),
            max(self.resumed) - min(self.resumed),
            max(self.resumed) - min(self.halted),
        )


@contextlib.contextmanager
def _halted(hypervisor: Hypervisor, domains: Mapping[str, ObservedDomain]) -> Iterator[_Clock]:
    """All running machines paused for the time of the block."""
    names = [domains[node].name for node in running(domains)]
    clock = _Clock()
    try:
        together(names, hypervisor.suspend, clock.halted)
        yield clock
    except BaseException:
        # The error that led here is the one to report.
        with contextlib.suppress(LabctlError):
            together(names, hypervisor.resume, clock.resumed)
        raise
    together(names, hypervisor.resume, clock.resumed)


def together(names: Sequence[str], call: Callable[[str], None], times: list[float]) -> None:
    """Make a short call for all domains at once; `times` gets when each was done.

    Raises the first error once all calls have ended.
    """

    def timed(name: str) -> None:
        call(name)
        times.append(time.monotonic())

    with ThreadPoolExecutor(_PAUSE_WIDTH) as pool:
        ended = [pool.submit(timed, name) for name in names]
    for future in ended:
        future.result()


def _save(
    hypervisor: Hypervisor, files: NodePaths, domain: ObservedDomain, to: Path, *, memory: bool
) -> None:
    """One paused (or stopped) node's state into files."""
    definition = hypervisor.definition(domain.name)
    if definition is None:
        raise SnapshotError(
            f"{domain.name} has no definition that could be kept",
            resolution="`labctl up` defines it again",
        )
    to.mkdir(parents=True)
    try:
        (to / DEFINITION).write_text(definition)
        if memory and domain.state in _POWERS:
            hypervisor.save_memory(domain.name, to / MEMORY)
        copy(files.overlay, to / DISK)
        for extra in (files.day0, files.variables, files.console_log):
            if extra.exists():
                copy(extra, to / extra.name)
    except OSError as error:
        raise SnapshotError(
            f"can't keep the state of {domain.name}: {error.strerror}",
            details=str(error.filename or to),
            resolution="see whether the disk is full or read-only",
        ) from None


def _seal(domain: ObservedDomain, node: str, folder: Path) -> Part:
    """The record of a part whose files are all there."""
    mark = domain.metadata
    assert mark is not None  # a lab's domains are known by their mark
    power = _POWERS.get(domain.state, Power.OFF)
    return Part(
        node=node,
        domain=domain.name,
        power=power if (folder / MEMORY).exists() else Power.OFF,
        memory=domain.memory,
        vcpus=domain.vcpus,
        machine=machine_of((folder / DEFINITION).read_text()),
        spec=mark.spec,
        golden=mark.digests.get("image", ""),
        files={path.name: _recorded(path) for path in sorted(folder.iterdir())},
    )


def _recorded(path: Path) -> PartFile:
    return PartFile(path.stat().st_size, file_digest(path))


def machine_of(xml: str) -> str:
    """The machine type that a domain's XML names; "" where it names none."""
    kind = ElementTree.fromstring(xml).find("os/type")
    return "" if kind is None else kind.get("machine", "")
