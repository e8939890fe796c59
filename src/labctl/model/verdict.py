"""From findings to a verdict: pure, each reason by itself, the gravest one names the whole."""

from __future__ import annotations

from collections.abc import Iterator

from labctl.model.image import Provenance
from labctl.model.image_name import parse_name
from labctl.model.inspection import (
    LIBVIRT_LAYERS,
    REFUSE_LAYERS,
    UNREPLAYED,
    WARN_LAYERS,
    Contents,
    Depth,
    Findings,
    Inspection,
    Reason,
    Verdict,
)
from labctl.model.signature import Implies

GRAVEST_FIRST = (
    Verdict.DAMAGED,
    Verdict.NOT_BOOTABLE,
    Verdict.MODIFIED,
    Verdict.USED,
    Verdict.PRISTINE,
    Verdict.UNKNOWN,
)
_IMPLIED = {Implies.USED: Verdict.USED, Implies.MODIFIED: Verdict.MODIFIED}
_LONGEST_TEXT = 80
_SLACK = 1 << 20
"""A file system may keep more blocks for a file than it fills."""
_OTHER_STORED = "its bytes are not those that the store's manifest records"


def judge(found: Findings) -> Inspection:
    """The verdict with every reason, gravest first.

    What a digest proves to be the publisher's bytes is pristine whatever its files tell: a mount
    count or a log was published with it. It is not when damaged, unfit here, in use, or misnamed.
    """
    reasons = [*_damage(found), *_boot(found), *_naming(found), *_use(found)]
    if found.origin.provenance is not Provenance.PRISTINE:
        reasons += [*_changes(found), *_traces(found)]
    reasons = [*reasons, *_origin(found, clean=not reasons)]
    reasons.sort(key=lambda reason: GRAVEST_FIRST.index(reason.verdict))
    return Inspection(reasons[0].verdict, tuple(reasons), found.chain.depth, found)


def _damage(found: Findings) -> Iterator[Reason]:
    for check in found.checks:
        if check.damaged:
            counted = f"{check.corruptions} corruptions, {check.leaks} leaks, {check.errors} errors"
            words = f": {check.words.splitlines()[0]}" if check.words else ""
            text = f"qemu-img check finds it {check.standing} ({counted}){words}"
            yield Reason(Verdict.DAMAGED, text, check.path)
    for layer in found.chain.layers:
        if layer.corrupt:
            yield Reason(Verdict.DAMAGED, "it is marked corrupt", layer.path)
        for problem in layer.problems:
            yield Reason(Verdict.DAMAGED, problem, layer.path)
    for system in found.contents.file_systems if found.contents else ():
        if "errors" in system.state:
            text = f"its file system is marked {system.state}"
            yield Reason(Verdict.DAMAGED, text, system.device)
    if found.origin.as_stored is False:
        yield Reason(Verdict.DAMAGED, _OTHER_STORED, found.path)


def _boot(found: Findings) -> Iterator[Reason]:
    chain = found.chain
    if chain.fault:
        yield Reason(Verdict.NOT_BOOTABLE, chain.fault, chain.layers[-1].path)
    if chain.depth in (Depth.TOO_DEEP, Depth.UNSTARTABLE):
        limit = LIBVIRT_LAYERS if chain.depth is Depth.UNSTARTABLE else REFUSE_LAYERS
        whose = "libvirt starts none on more than" if limit == LIBVIRT_LAYERS else "labctl's limit:"
        text = f"it stands on {chain.below} files, {whose} {limit}"
        yield Reason(Verdict.NOT_BOOTABLE, text, found.path)
    for layer in chain.layers:
        if layer.format == "unknown":
            text = "its first bytes are those of no disk image that labctl knows"
            yield Reason(Verdict.NOT_BOOTABLE, text, layer.path)
        if layer.encrypted:
            yield Reason(Verdict.NOT_BOOTABLE, "it is encrypted", layer.path)
        if layer.data_file:
            yield Reason(Verdict.NOT_BOOTABLE, "its data is in another file", layer.path)
    if found.firmware.needed and found.firmware.there is False:
        text = "it needs UEFI firmware, and this host has none: `apt install ovmf`"
        yield Reason(Verdict.NOT_BOOTABLE, text)
    if found.contents is not None:
        yield from _boot_contents(found.contents)


def _boot_contents(contents: Contents) -> Iterator[Reason]:
    """Only of a disk that was read whole: what could not be read may hold the loader."""
    systems = contents.file_systems
    if contents.problem or any(system.problem for system in systems):
        return
    if not systems and not contents.partitions:
        yield Reason(Verdict.NOT_BOOTABLE, "no partition table and no file system", contents.layer)
    elif not contents.boot_lines and not contents.boot_files:
        yield Reason(Verdict.NOT_BOOTABLE, "no boot loader on it", contents.layer)


def _naming(found: Findings) -> Iterator[Reason]:
    """Whether a file of another release goes about under its name."""
    if not found.claims or found.origin.provenance is not Provenance.PRISTINE:
        return
    try:
        release = parse_name(found.origin.published).release
    except ValueError:
        return
    if str(release) != found.claims:
        text = f"its name claims {found.claims}, and it is {found.origin.published} as published"
        yield Reason(Verdict.MODIFIED, text, found.path)


def _use(found: Findings) -> Iterator[Reason]:
    if found.in_use:
        yield Reason(Verdict.USED, "a running machine has it open", found.path)


def _changes(found: Findings) -> Iterator[Reason]:
    origin, contents = found.origin, found.contents
    if origin.provenance is Provenance.SALVAGED:
        yield Reason(Verdict.MODIFIED, "it was put together from a damaged image", found.path)
    if contents is None:
        return
    told = [clue for clue in contents.versions if clue.agrees is not None]
    if told and not any(clue.agrees for clue in told):
        clue = told[0]
        text = f"its name claims {found.claims}, the disk says {clue.release}: {clue.text}"
        yield Reason(Verdict.MODIFIED, text, f"{clue.file_system}:{clue.path}")
    else:
        for clue in told:
            if not clue.agrees and clue.line:
                text = f"its name claims {found.claims}, this file says {clue.release}"
                yield Reason(Verdict.MODIFIED, text, f"{clue.file_system}:{clue.path}")


def _traces(found: Findings) -> Iterator[Reason]:
    top, origin = found.top, found.origin
    if found.chain.below:
        text = f"an overlay on {found.chain.below} files"
        if found.chain.depth is Depth.DEEP:
            text += f", from {WARN_LAYERS} on too many for speed"
        yield Reason(Verdict.USED, text, found.path)
    for layer in found.chain.layers:
        if layer.dirty:
            yield Reason(Verdict.USED, "it was not closed cleanly (dirty bit)", layer.path)
    for check in found.checks:
        if check.standing == "leaks":
            text = f"{check.leaks} clusters that nothing uses, as an unclean end leaves them"
            yield Reason(Verdict.USED, text, check.path)
    if top.snapshots:
        text = f"{len(top.snapshots)} internal snapshots, the last of {top.snapshots[-1].date}"
        yield Reason(Verdict.USED, text, top.path)
    if 0 < origin.published_size < top.allocated - _SLACK:
        text = f"{top.allocated} bytes on the disk; as published it has {origin.published_size}"
        yield Reason(Verdict.USED, text, found.path)
    if found.contents is not None:
        yield from _trace_contents(found.contents)


def _trace_contents(contents: Contents) -> Iterator[Reason]:
    for match in contents.matches:
        if match.implies in _IMPLIED:
            where = f"{match.file_system}:{match.path}" + (f":{match.line}" if match.line else "")
            text = f"{match.id}: {_shortened(match.text)}"
            yield Reason(_IMPLIED[match.implies], text, where)
    for system in contents.file_systems:
        if system.mounts:
            count, last = system.mounts, system.last_mounted
            text = f"its file system was mounted (mount count {count}), last on {last}"
            yield Reason(Verdict.USED, text, system.device)
        if "not clean" in system.state or UNREPLAYED in system.state:
            text = f"its file system was left {system.state}: the machine lost power"
            yield Reason(Verdict.USED, text, system.device)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _origin(found: Findings, *, clean: bool) -> Iterator[Reason]:
    origin = found.origin
    if origin.provenance is Provenance.PRISTINE and clean:
        yield Reason(Verdict.PRISTINE, origin.how, found.path)
    elif origin.provenance is Provenance.MODIFIED:
        yield Reason(Verdict.MODIFIED, origin.how, found.path)
    else:
        yield Reason(Verdict.UNKNOWN, origin.how or "no published file to compare it with")
