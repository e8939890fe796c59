"""Put a lab back to a snapshot, all nodes or none, and take on what a killed run had begun.

It begins by switching all machines off, so it can begin again at any time: whoever finds the
file does that. Where it can't be ended the lab goes back to its safety snapshot, else stays off:
never do some of its nodes run as they are and some as they were.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from labctl.atomic import write_atomically
from labctl.errors import ConnectionLost, LabctlError, SnapshotError
from labctl.hypervisor.api import DomainState, Hypervisor
from labctl.hypervisor.parse import link_is_up, mac_of, observed_domain, set_link_state
from labctl.model.identity import domain_name
from labctl.model.paths import LabPaths
from labctl.model.snapshot import MEMORY, Part, Power
from labctl.ops.apply import remove_node
from labctl.ops.belongings import domains_of
from labctl.ops.capture import together
from labctl.ops.clock import set_clocks
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.journal import Journal
from labctl.ops.management import bring_back_network
from labctl.ops.reinstate import place, revive
from labctl.ops.restore_marker import Marker, Stage, clear, marker, write
from labctl.ops.restore_proof import Whole, prove_whole
from labctl.ops.runner import run_nodes
from labctl.ops.snapshots import Snapshots

_WIDTH = 8


def put_back(
    ctx: Context, hypervisor: Hypervisor, journal: Journal, whole: Whole, begun: Marker
) -> float:
    """Take the lab to the snapshot from whatever there is; seconds from the first machine's
    running on to the last one's.

    Where that fails it goes back to the safety snapshot, or stays off, and says which with
    SnapshotError. Only when libvirt is lost the work stays as it is, for the next run. The caller
    holds the lab's lock and the port lock.
    """
    # Half of it is no place to stop at: Ctrl-C counts before and after.
    calm = Context(ctx.home, ctx.uri, ctx.connect, ctx.emit)
    try:
        return _put_back(calm, hypervisor, journal, whole, begun)
    except ConnectionLost:
        raise
    except (LabctlError, OSError) as error:
        raise _gone_back(calm, hypervisor, journal, whole.manifest.lab, begun, error) from error


def right_clocks(ctx: Context, hypervisor: Hypervisor, whole: Whole) -> tuple[str, ...]:
    """Set the clocks of the nodes that run on; gives back those that could not be set."""
    from labctl.topology.platforms import load_platforms

    platforms = load_platforms()
    running = [part.node for part in whole.manifest.parts if part.power is Power.RUNNING]
    names = {
        node: mark.platform
        for node in running
        if (mark := whole.kept[node].domain.metadata) is not None
    }
    known = {node: platforms[name] for node, name in names.items() if name in platforms}
    return set_clocks(ctx, hypervisor, whole.manifest.lab, known)


def take_on(ctx: Context, hypervisor: Hypervisor, journal: Journal, lab: str) -> Whole | None:
    """End what a killed run had begun to put back, if it had; tells of it.

    Gives back what was put back: its clocks are yet to be set. Raises SnapshotError as
    `put_back`, also when the snapshot is no longer whole.
    """
    paths = ctx.home.lab(lab)
    begun = marker(paths)
    if begun is None:
        return None
    told = f"an earlier run was cut off while it put back snapshot {begun.snapshot}"
    ctx.emit(Notice(f"{told}; taking it on"))
    try:
        whole = prove_whole(ctx.home, lab, begun.snapshot, width=_WIDTH)
    except LabctlError as error:
        raise _gone_back(ctx, hypervisor, journal, lab, begun, error) from error
    if begun.stage is Stage.RESUMING and _all_run(hypervisor, whole):
        clear(paths)
    else:
        put_back(ctx, hypervisor, journal, whole, begun)
    return whole


def _put_back(
    ctx: Context, hypervisor: Hypervisor, journal: Journal, whole: Whole, begun: Marker
) -> float:
    manifest, paths = whole.manifest, ctx.home.lab(whole.manifest.lab)
    write(paths, begun._replace(stage=_so_far(begun)))
    stop_all(ctx, hypervisor, journal, manifest.lab, manifest.left_out)
    write(paths, begun._replace(stage=Stage.PLACING))
    for node in extra_nodes(hypervisor, whole):
        remove_node(hypervisor, paths, journal, manifest.lab, node)
    parts = {part.node: part for part in manifest.parts}
    _each(
        ctx, journal, "put back", parts, lambda node: _place(hypervisor, paths, whole, parts[node])
    )
    with journal.step("put back"):
        bring_back_network(hypervisor, whole.lab)
        _put_back_topology(paths, whole.folder)
    write(paths, begun._replace(stage=Stage.PLACED))
    active = [part.node for part in manifest.parts if part.power is not Power.OFF]
    _each(
        ctx,
        journal,
        "restore memory",
        active,
        lambda node: _revive(hypervisor, paths, whole, parts[node]),
        width=max(2, hypervisor.host().cpus),
    )
    Snapshots(paths).set_current(manifest.name)
    write(paths, begun._replace(stage=Stage.RESUMING))
    times: list[float] = []
    with journal.step("resume"):
        names = [part.domain for part in manifest.parts if part.power is Power.RUNNING]
        together(names, hypervisor.resume, times)
    clear(paths)
    return max(times) - min(times) if times else 0.0


def _so_far(begun: Marker | None) -> Stage:
    """What begins anew changes nothing about disks that were replaced before."""
    return Stage.STOPPING if begun is None or begun.stage is Stage.STOPPING else Stage.PLACING


def again(paths: LabPaths, snapshot: str, safety: str) -> Marker:
    """A mark for putting back a snapshot in a lab where that may have been begun before."""
    return Marker(snapshot, safety, _so_far(marker(paths)))


def extra_nodes(hypervisor: Hypervisor, whole: Whole) -> tuple[str, ...]:
    """The lab's nodes that the snapshot does not have."""
    there = domains_of(whole.manifest.lab, hypervisor.domains())
    alone = whole.manifest.left_out
    return tuple(n for n in there if whole.manifest.part(n) is None and n not in alone)


def left_alone(hypervisor: Hypervisor, whole: Whole) -> tuple[str, ...]:
    """The lab's nodes that the snapshot could not capture: what they are now they stay."""
    there = domains_of(whole.manifest.lab, hypervisor.domains())
    return tuple(node for node in there if node in whole.manifest.left_out)


def stop_all(
    ctx: Context, hypervisor: Hypervisor, journal: Journal, lab: str, but: Collection[str] = ()
) -> None:
    """Cut the power of all the lab's machines `but` some: what they do now is not to be kept."""
    domains = domains_of(lab, hypervisor.domains())
    doomed = [node for node in domains if node not in but]
    _each(ctx, journal, "switch off", doomed, lambda n: hypervisor.destroy(domains[n].name))


def _each(
    ctx: Context,
    journal: Journal,
    step: str,
    nodes: Iterable[str],
    work: Callable[[str], None],
    *,
    width: int = _WIDTH,
) -> None:
    """Do one thing for many nodes; raises the first one's error once all have ended."""

    def task(node: str) -> None:
        with journal.step(step, node), _writing(node):
            work(node)

    for outcome in run_nodes(ctx, step, list(nodes), task, width=width):
        if outcome.error is not None:
            raise outcome.error


def _place(hypervisor: Hypervisor, paths: LabPaths, whole: Whole, part: Part) -> None:
    """The node's definition and files; without what others left with it (a managed save would be
    loaded at the next start, onto another disk)."""
    name = domain_name(whole.manifest.lab, part.node)
    hypervisor.undefine(name)
    hypervisor.define(whole.kept[part.node].xml)
    place(whole.folder, part, paths.node(part.node))


def _revive(hypervisor: Hypervisor, paths: LabPaths, whole: Whole, part: Part) -> None:
    saved, kept = hypervisor.saved_xml(whole.folder / part.node / MEMORY), whole.kept[part.node].xml
    own = whole.manifest.uri == hypervisor.uri
    revive(hypervisor, whole.folder, part, running_xml(saved, kept, own=own))
    paths.node(part.node).started.touch()


def running_xml(saved: str, definition: str, *, own: bool = True) -> str:
    """What to run a machine as: as it ran, or, where its files or ports are others by now, as it
    is defined, with cables pulled that were; so is what is not our `own` and could say anything."""
    was = observed_domain(saved, DomainState.PAUSED)
    will_be = observed_domain(definition, DomainState.SHUT_OFF)
    if own and _host_side(was.disks, was.udp) == _host_side(will_be.disks, will_be.udp):
        return saved
    plugged = {
        mac_of(nic): link_is_up(nic)
        for nic in ElementTree.fromstring(saved).iterfind("devices/interface")
    }
    root = ElementTree.fromstring(definition)
    for nic in root.iterfind("devices/interface"):
        set_link_state(nic, up=plugged.get(mac_of(nic), True))
    return ElementTree.tostring(root, encoding="unicode")


def _host_side(disks: tuple[str, ...], udp: Iterable[tuple[object, ...]]) -> object:
    """Files and ports, without the cables' state."""
    return disks, [end[:3] for end in udp]


def _put_back_topology(paths: LabPaths, folder: Path) -> None:
    kept = LabPaths(folder)
    for source, target in ((kept.files, paths.files), (kept.topology, paths.topology)):
        if source.exists():
            write_atomically(target, source.read_bytes())
        else:
            target.unlink(missing_ok=True)


def _all_run(hypervisor: Hypervisor, whole: Whole) -> bool:
    domains = domains_of(whole.manifest.lab, hypervisor.domains())
    return all(
        part.node in domains and domains[part.node].state is DomainState.RUNNING
        for part in whole.manifest.parts
        if part.power is Power.RUNNING
    )


def _gone_back(
    ctx: Context,
    hypervisor: Hypervisor,
    journal: Journal,
    lab: str,
    begun: Marker,
    error: Exception,
) -> SnapshotError:
    """Leave the lab in one piece; the error that tells what went wrong and where it is now."""
    why = error.brief if isinstance(error, LabctlError) else str(error)
    brief = f"snapshot {begun.snapshot} of {lab} could not be put back: {why}"
    causes, details = [error], [getattr(error, "details", "")]
    if begun.safety:
        try:
            whole = prove_whole(ctx.home, lab, begun.safety, width=_WIDTH)
            _put_back(ctx, hypervisor, journal, whole, again(ctx.home.lab(lab), begun.safety, ""))
        except ConnectionLost:
            raise
        except (LabctlError, OSError) as second:
            causes.append(second)
            details.append(f"nor could {begun.safety}, the state before: {second}")
        else:
            where = f"the lab is as it was before, from snapshot {begun.safety}"
            if lost := whole.manifest.left_out:
                where += f", but for {', '.join(lost)}, which it does not hold"
            return SnapshotError(brief, details=details[0], resolution=where, causes=causes)
    where = _left_off(ctx, hypervisor, journal, lab)
    details = [line for line in details if line]
    return SnapshotError(brief, details="\n".join(details), resolution=where, causes=causes)


def _left_off(ctx: Context, hypervisor: Hypervisor, journal: Journal, lab: str) -> str:
    """All machines off; what can be done with their disks."""
    paths = ctx.home.lab(lab)
    with contextlib.suppress(LabctlError):
        stop_all(ctx, hypervisor, journal, lab)
    left = marker(paths)
    if left is None or left.stage is Stage.PLACING:
        return (
            "the lab is off, and its disks are of two instants: restore another snapshot "
            f"(`labctl snapshot list {lab}`), or `labctl destroy {lab}`"
        )
    clear(paths)
    whose = "as they were" if left.stage is Stage.STOPPING else f"those of {left.snapshot}"
    return f"the lab is off, its disks are {whose}: `labctl up {lab}` boots it"


@contextlib.contextmanager
def _writing(node: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SnapshotError(
            f"can't put back the files of {node}: {error.strerror}",
            details=str(error.filename),
            resolution="see whether the disk is full or read-only",
        ) from None
