"""A lab out of an archive, brought up on this host: checked whole before any of it is used.

What is unpacked beside the labs is moved to its place at one stroke. Paths, ports and definitions
are this host's own, made of the topology as `up` makes them; names, UUIDs and MACs are the same
everywhere, since they come from the lab's name.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from labctl.errors import ImageError, UsageError
from labctl.hypervisor.api import Hypervisor
from labctl.images.store import ImageStore
from labctl.model.archive import Contents, Golden
from labctl.model.snapshot import Manifest, Power
from labctl.ops import restore_marker
from labctl.ops.belongings import belongings_of, domains_of, is_bare
from labctl.ops.clock import set_clocks
from labctl.ops.context import Context
from labctl.ops.events import Notice
from labctl.ops.journal import Journal
from labctl.ops.labs import other_home
from labctl.ops.lock import lab_lock, port_lock
from labctl.ops.meter import Meter
from labctl.ops.restore_marker import Marker
from labctl.ops.restore_proof import Whole, version_note
from labctl.ops.restoring import put_back
from labctl.ops.results import ImportResult
from labctl.ops.settling import settle
from labctl.ops.unpacking import Unpacked, check_room, opened, staging, sweep, unpack
from labctl.ops.up import up
from labctl.ops.verify import CONVERGENCE_SECONDS, verify_live

COMMAND = "import-lab"


def import_lab(
    ctx: Context, file: Path, *, start: bool = True, verify: bool = True
) -> ImportResult:
    """Bring the archive's lab up here: from its snapshot's memory, else by booting it.

    Without `start` all is put in place and stays off; `verify` is for what runs. Raises
    UsageError (such a lab is here), SnapshotError (the archive is bad, or doesn't fit this host),
    ImageError (golden images are missing), PreflightRefused, LabLocked, HypervisorError: nothing
    of it is left then but images. Only where its machines resist at the very end the lab stays,
    off, and the error says so.
    """
    started = time.monotonic()
    with opened(file) as reading, contextlib.closing(ctx.connect(ctx.uri)) as hypervisor:
        contents = reading.contents
        with lab_lock(ctx.home, contents.lab, f"{COMMAND} {file}"):
            _clear(ctx, hypervisor, contents.lab)
            store = ImageStore(ctx.home.images)
            lacking = _lacking(store, contents)
            check_room(ctx.home, contents, lacking)
            meter = Meter(ctx, "unpack", contents.size)
            with _removed(staging(ctx.home, contents.lab)):
                unpacked = unpack(reading, ctx.home, meter, images=lacking)
                _take_images(store, unpacked, lacking, file)
                skew, late = _put(ctx, hypervisor, unpacked, file, start=start)
    manifest = unpacked.manifest
    boots = start and (manifest is None or not manifest.with_memory)
    report = None
    if verify and start and manifest is not None and _all_run(manifest):
        report = verify_live(ctx, contents.lab, wait=CONVERGENCE_SECONDS)
    return ImportResult(
        lab=contents.lab,
        file=file,
        snapshot=contents.snapshot,
        with_memory=manifest is not None and manifest.with_memory,
        started=start,
        images=tuple(image.name for image in lacking),
        resume_skew=skew,
        late_clocks=late,
        seconds=time.monotonic() - started,
        up=up(ctx, contents.lab, verify=verify) if boots else None,
        verify=report,
    )


def _all_run(manifest: Manifest) -> bool:
    return all(part.power is Power.RUNNING for part in manifest.parts)


def _clear(ctx: Context, hypervisor: Hypervisor, lab: str) -> None:
    """Throw away what killed imports left; raise UsageError where the lab is here already."""
    for name in sweep(ctx.home, lab):
        ctx.emit(Notice(f"removed what a killed import of {name} had unpacked"))
    paths = ctx.home.lab(lab)
    owned = belongings_of(lab, hypervisor, ctx.home)
    domains = hypervisor.domains()
    others = [domain.name for domain in domains if domain.name.startswith(f"{lab}.")]
    if is_bare(paths) and not (owned.domains or owned.networks or others):
        shutil.rmtree(paths.folder, ignore_errors=True)
        return
    elsewhere = other_home(domains_of(lab, domains).values(), ctx.home)
    destroy = f"labctl destroy {lab}"
    if elsewhere:
        destroy = f"LABCTL_HOME={shlex.quote(elsewhere)} {destroy}"
    raise UsageError(
        f"a lab {lab} is here already"
        + (f", and belongs to another LABCTL_HOME, {elsewhere}" if elsewhere else ""),
        details=", ".join(map(str, filter(None, (owned.folder, *(owned.domains or others))))),
        resolution=f"`{destroy}` removes it (take a snapshot and export it before, "
        "if it is worth keeping); then import again",
    )


def _lacking(store: ImageStore, contents: Contents) -> tuple[Golden, ...]:
    """The images to be taken into the store under their names: from the archive, or known here
    by another name. Raises ImageError naming all that are neither, or are other ones here.
    """
    images = store.list()
    digests = {image.name: image.sha256 for image in images}
    known = {*digests.values(), *(image.sha256 for image in contents.inside)}
    wrong = []
    for image in contents.images:
        if image.sha256 not in known:
            wrong.append(f"{image.name}, SHA-256 {image.sha256}, {image.size} bytes: not here")
        elif digests.get(image.name, image.sha256) != image.sha256:
            here = digests[image.name]
            wrong.append(f"{image.name} is SHA-256 {here} here, {image.sha256} in the archive")
    if wrong:
        raise ImageError(
            f"{contents.lab} stands on golden images that are not in the store here",
            details="\n".join(wrong),
            resolution="`labctl image import FILE --name NAME` those very files, or export the "
            "lab again --with-images; a name that means another image here must be given to "
            "this one (running labs keep the one they stand on)",
        )
    return tuple(image for image in contents.images if image.name not in digests)


def _take_images(
    store: ImageStore, unpacked: Unpacked, lacking: Sequence[Golden], file: Path
) -> None:
    here = {image.sha256: image.path for image in store.list()}
    for image in lacking:
        source = here.get(image.sha256, unpacked.image(image))
        store.add(source, image.name, f"archive {file}", sha256=image.sha256)


def _put(
    ctx: Context, hypervisor: Hypervisor, unpacked: Unpacked, file: Path, *, start: bool
) -> tuple[float, tuple[str, ...]]:
    """Move the lab to its place and put its snapshot back; the skew of its nodes' resuming, and
    whose clock is late.

    What is to be put back is noted before the lab is in its place: a run killed from then on is
    taken on by the next one.
    """
    paths = ctx.home.lab(unpacked.lab.name)
    if unpacked.manifest is None:
        unpacked.paths.folder.rename(paths.folder)
        return 0.0, ()
    with port_lock(ctx.home, hypervisor.uri):
        whole = settle(ctx, hypervisor, unpacked, unpacked.manifest, file)
        marker = Marker(whole.manifest.name, "")
        if start:
            restore_marker.write(unpacked.paths, marker)
        unpacked.paths.folder.rename(paths.folder)
        if not start:
            return 0.0, ()
        with Journal(paths.journal, COMMAND) as journal:
            skew = put_back(ctx, hypervisor, journal, whole, marker)
    if note := version_note(hypervisor.host(), whole.manifest):
        ctx.emit(Notice(note))
    return skew, _set_clocks(ctx, hypervisor, whole)


def _set_clocks(ctx: Context, hypervisor: Hypervisor, whole: Whole) -> tuple[str, ...]:
    from labctl.topology.platforms import load_platforms

    platforms = load_platforms()
    running = [part.node for part in whole.manifest.parts if part.power is Power.RUNNING]
    of = {node: platforms[whole.lab.node(node).platform] for node in running}
    return set_clocks(ctx, hypervisor, whole.manifest.lab, of)


@contextlib.contextmanager
def _removed(folder: Path) -> Iterator[None]:
    """Whatever comes of the block, `folder` is gone after it."""
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()
