"""What golden images and the disks on them look like, for preflight to judge."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

from labctl.errors import ImageError
from labctl.hypervisor.api import ObservedDomain
from labctl.images.disks import Check, disk_problems, remedy, standing_on
from labctl.images.store import MAX_VERIFIED_AGE, ImageStore
from labctl.model.intent import Intent
from labctl.model.lab import Lab
from labctl.model.paths import Home
from labctl.preflight.facts import ImageFact


def images_of(intent: Intent, store: ImageStore, home: Home) -> dict[str, ImageFact]:
    """Each image that the lab's nodes name; bytes are read where they look touched or are due."""
    names = dict.fromkeys(node.node.image for node in intent.nodes.values())
    return {name: _image(name, store, home, intent.lab) for name in names}


def _image(name: str, store: ImageStore, home: Home, lab: Lab) -> ImageFact:
    try:
        image = store.get(name)
    except ImageError as error:
        return ImageFact(0, (error.brief,), error.resolution)
    problems = store.check(image, max_age=_max_age(lab))
    if not problems:
        return ImageFact(image.virtual_size)
    there = standing_on(image.path, home.labs)
    others = tuple(str(disk) for disk in there if disk.lab != lab.name)
    return ImageFact(image.virtual_size, problems, remedy(image, problems, [lab.name]), others)


def kept_disks(
    intent: Intent,
    store: ImageStore,
    home: Home,
    domains: Iterable[ObservedDomain],
    anew: Collection[str],
) -> dict[str, tuple[str, ...]]:
    """What is wrong with disks that are there and will be kept.

    Not of nodes made `anew`, nor of those whose image has changed: they get a new disk.
    """
    lab = intent.lab
    check = _golden_check(intent, store)
    marks = {d.metadata.node: d.metadata for d in domains if d.metadata}
    found = {}
    for name, node in intent.nodes.items():
        mark = marks.get(name)
        overlay = home.lab(lab.name).node(name).overlay
        if mark is None or mark.lab != lab.name or name in anew or not overlay.exists():
            continue
        if mark.digests.get("image") not in ("", None, _digest(store, node.node.image)):
            continue
        if problems := disk_problems(overlay, check):
            found[name] = problems
    return found


def _golden_check(intent: Intent, store: ImageStore) -> Check:
    """Says what is wrong with a golden file; of those that the lab names `images_of` tells."""
    digests = {_digest(store, node.node.image) for node in intent.nodes.values()}

    @cache
    def check(golden: Path) -> tuple[str, ...]:
        try:
            image = store.of_file(golden)
        except ImageError as error:
            return (error.brief,)
        if image.sha256 in digests:
            return ()
        return store.check(image, max_age=_max_age(intent.lab))

    return check


def _digest(store: ImageStore, name: str) -> str:
    try:
        return store.get(name).sha256
    except ImageError:
        return ""


def _max_age(lab: Lab) -> timedelta:
    seconds = lab.requirements.image_check_age
    return MAX_VERIFIED_AGE if seconds is None else timedelta(seconds=seconds)


def with_owners(
    images: Mapping[str, ImageFact], store: ImageStore, owner: tuple[int, int] | None
) -> dict[str, ImageFact]:
    """The same, with a problem where QEMU's user `owner` owns the file: it could write to it.

    libvirt gives a base to that user when it starts a machine whose XML doesn't keep it from that
    (facts: measured on 9.0.0).
    """
    return {name: _with_owner(name, fact, store, owner) for name, fact in images.items()}


def _with_owner(
    name: str, fact: ImageFact, store: ImageStore, owner: tuple[int, int] | None
) -> ImageFact:
    if owner is None or owner[0] in (0, os.geteuid()) or fact.problems:
        return fact
    path = store.get(name).path
    if path.stat().st_uid != owner[0]:
        return fact
    problem = f"{path} belongs to QEMU's user (id {owner[0]}), who could write to it"
    back = f"give it back: `chown --reference={store.folder} {path}`"
    return replace(fact, problems=(problem,), resolution=back)
