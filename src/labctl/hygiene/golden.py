"""Golden images that somebody writes to, changed, or that nobody has read for long. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from labctl.hygiene.facts import DomainFact, Facts, GoldenFact, StoreFact
from labctl.hygiene.words import DAY, shell, size, virsh
from labctl.images.store import MAX_VERIFIED_AGE
from labctl.model.hygiene import Finding, Mend, MendKind, Severity

_MAX_DAYS = MAX_VERIFIED_AGE.total_seconds() / DAY


def check_writers(facts: Facts) -> Iterator[Finding]:
    """Domains with a golden image as a disk of their own that they may write to."""
    golden = _golden(facts)
    for fact in facts.domains:
        for disk in fact.disks:
            opened = [] if disk.disk.readonly else [disk.real]
            opened += [Path(disk.disk.mirror)] if disk.disk.mirror else []
            for path in opened:
                if path is not None and path in golden:
                    yield _written(fact, disk.disk.target, path, golden[path])


def _golden(facts: Facts) -> Mapping[Path, str]:
    store = facts.store
    if store is None:
        return {}
    strays = {path: path.name for path in store.strays or ()}
    return {**strays, **{image.path: image.name for image in store.images}}


def _written(fact: DomainFact, target: str, path: Path, image: str) -> Finding:
    running = not fact.is_off
    name = fact.domain.name
    return Finding(
        check="golden",
        severity=Severity.BAD if running else Severity.WARN,
        subject=image,
        message=f"{name} "
        + ("has it open for writing" if running else "will write to it at its next start")
        + f", as {target}",
        meaning="every node that stands on the image sees its disk change under it",
        command=(f"{virsh(fact.uri, 'destroy', name)} && " if running else "")
        + f"{virsh(fact.uri, 'detach-disk', name, target, '--config')} && labctl image verify",
        evidence={"uri": fact.uri, "domain": name, "target": target, "file": str(path)},
    )


def check_images(facts: Facts) -> Iterator[Finding]:
    """Files that are not as they were imported, lie open, or were not read for long."""
    store = facts.store
    for image in store.images if store else ():
        if image.changed:
            yield _changed(image)
        elif image.damaged:
            yield _damaged(image)
        elif image.verified_days > _MAX_DAYS:
            yield _old(image)
        if image.exposed:
            yield _exposed(image)


def _changed(image: GoldenFact) -> Finding:
    there = not any(str(image.path) in words for words in image.changed)
    return Finding(
        check="golden",
        severity=Severity.BAD,
        subject=image.name,
        message="; ".join(image.changed),
        meaning="nodes that stand on it may have rotten disks; only reading it whole tells",
        command=f"labctl image verify {image.name}",
        evidence={"file": str(image.path), "changed": list(image.changed)},
        mend=Mend(MendKind.VERIFY_IMAGE, image.name) if there else None,
    )


def _damaged(image: GoldenFact) -> Finding:
    return Finding(
        check="golden",
        severity=Severity.BAD,
        subject=image.name,
        message="found damaged when it was last read: not the bytes that were imported",
        meaning="no lab is brought up on it, and disks that stand on it may be rotten",
        command=f"labctl image quarantine {image.name}",
        evidence={"file": str(image.path)},
    )


def _exposed(image: GoldenFact) -> Finding:
    return Finding(
        check="golden",
        severity=Severity.WARN,
        subject=image.name,
        message="; ".join(image.exposed),
        meaning="a golden image is to be written by nobody",
        command=f"{shell('chown', '--reference', image.path.parent / 'names', image.path)} && "
        f"{shell('chmod', '0444', image.path)}",
        evidence={"file": str(image.path), "exposed": list(image.exposed)},
    )


def _old(image: GoldenFact) -> Finding:
    return Finding(
        check="golden",
        severity=Severity.WARN,
        subject=image.name,
        message=f"not read whole for {image.verified_days:.0f} days",
        meaning=f"a disk can rot under an unchanged mtime; after {_MAX_DAYS:.0f} days the next "
        "`up` reads it first",
        command=f"labctl image verify {image.name}",
        evidence={"file": str(image.path), "days": round(image.verified_days, 1)},
        mend=Mend(MendKind.VERIFY_IMAGE, image.name),
    )


def check_store(facts: Facts) -> Iterator[Finding]:
    """Files without a name, names that can't be read."""
    store = facts.store
    if store is None:
        return
    used = facts.in_use | facts.foundations()
    for path, used_bytes in (store.strays or {}).items():
        yield _stray(path, used_bytes, stood_on=path in used)
    for words in store.trouble:
        yield _unreadable(store, words)


def _stray(path: Path, used_bytes: int, *, stood_on: bool) -> Finding:
    return Finding(
        check="store",
        severity=Severity.NOTE,
        subject=path.name,
        message=f"no name points to it ({size(used_bytes)})"
        + ("; disks still stand on it" if stood_on else ""),
        meaning="it stays as long as disks stand on it"
        if stood_on
        else "left when a name moved on to another image; nothing here stands on it",
        command="" if stood_on else shell("rm", path),
        evidence={"file": str(path), "bytes": used_bytes, "stood_on": stood_on},
    )


def _unreadable(store: StoreFact, words: str) -> Finding:
    return Finding(
        check="store",
        severity=Severity.BAD,
        subject=str(store.folder),
        message=words,
        meaning="no lab can be brought up on an image whose manifest can't be read",
        command="labctl image import FILE --name NAME",
    )
