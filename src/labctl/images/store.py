"""The image store: golden images by content, and names that point to them.

FOLDER/sha256-DIGEST.qcow2    the images, 0444, never opened for writing
FOLDER/names/NAME.json        the manifests (labctl.images.manifest)
FOLDER/incoming/              what is being imported (labctl.images.admit)
FOLDER/store.lock             held while the store changes

A name can move on to other content; nodes stand on the digest, so theirs doesn't change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labctl.errors import ImageError
from labctl.filelock import locked
from labctl.images import manifest
from labctl.images.admit import admit
from labctl.images.digest import file_digest
from labctl.images.intake import Request
from labctl.images.names import is_safe
from labctl.model.image import Image

FREE_GUEST = "frr"
MAX_VERIFIED_AGE = timedelta(days=7)
"""A disk can rot under an unchanged mtime, so the bytes are read again once a week."""
_LOCK_SECONDS = 600.0


class ImageStore:
    """The golden images below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = folder / "names"

    def list(self) -> tuple[Image, ...]:
        """All images, by name. Raises ImageError on a broken manifest."""
        return tuple(manifest.read(path) for path in sorted(self._names.glob("*.json")))

    def get(self, name: str) -> Image:
        """The image of that name. Raises ImageError when there is none; looks at no image."""
        if is_safe(name) and self.manifest_path(name).exists():
            return manifest.read(self.manifest_path(name))
        known = [path.stem for path in self._names.glob("*.json")]
        meant = _meant(name, known) if known else ""
        raise ImageError(
            f"no image {name!r} in the store",
            details=f"{self.folder} has: {', '.join(sorted(known)) or 'none yet'}",
            resolution=meant + _how_to_get(name),
        )

    def add(self, file: Path, name: str, source: str = "", *, sha256: str = "") -> Image:
        """Take a copy of `file` into the store as `name`; adding the same again changes nothing.

        `source` tells where it came from (default: the file's path), `sha256` what it must be.
        Raises ImageError when the name is unsafe, the digest another, or the file no healthy
        qcow2 that stands on its own.
        """
        return admit(self, Request(file, name, source, sha256=sha256, qcow2_only=True))

    def check(self, image: Image, *, now: datetime | None = None) -> tuple[str, ...]:
        """What is wrong with `image`: cheap, unless it looks touched or was long not read.

        Then its bytes are read and hashed (`verify`).
        """
        try:
            found = image.path.stat()
        except OSError as error:
            return (f"{image.path}: {error.strerror}",)
        if found.st_size != image.size:
            return (f"{image.path} has {found.st_size} bytes, {image.size} were imported",)
        problems: tuple[str, ...] = ()
        if found.st_mode & 0o222:
            problems = (f"{image.path} is writable; `chmod a-w` it",)
        age = (now or datetime.now(UTC)) - datetime.fromisoformat(image.verified)
        if found.st_mtime_ns != image.mtime_ns or not timedelta(0) <= age <= MAX_VERIFIED_AGE:
            problems += self.verify(image, now=now)
        return problems

    def verify(self, image: Image, *, now: datetime | None = None) -> tuple[str, ...]:
        """Read and hash all of `image`; what is wrong. A whole one is marked as verified."""
        try:
            mtime_ns = image.path.stat().st_mtime_ns
            digest = file_digest(image.path)
        except OSError as error:
            return (f"{image.path}: {error.strerror}",)
        if digest != image.sha256:
            return (
                f"{image.path} was changed: its SHA-256 is {digest}, {image.sha256} was imported",
            )
        verified = replace(image, mtime_ns=mtime_ns, verified=_timestamp(now))
        with self.changing():
            if self._is_current(image):
                manifest.write(self.manifest_path(image.name), verified)
        return ()

    def _is_current(self, image: Image) -> bool:
        """Does the name still point to this content?"""
        path = self.manifest_path(image.name)
        return path.exists() and manifest.read(path).sha256 == image.sha256

    def manifest_path(self, name: str) -> Path:
        """Where the manifest of that name is, if there is one."""
        return self._names / f"{name}.json"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the store's lock, for changes to names and files."""
        self._names.mkdir(parents=True, exist_ok=True)
        lock = self.folder / "store.lock"
        with locked(lock, deadline=_LOCK_SECONDS, what="the image store"):
            yield


def ensure_free_guest(store: ImageStore, output: Path) -> Image:
    """The free guest from the recipe's `output` folder (frr.qcow2, frr.json), imported if new.

    Raises ImageError when the recipe's output is missing or was tampered with.
    """
    try:
        wanted = json.loads((output / "frr.json").read_text(encoding="utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError(
            "the free guest image is not built",
            details=f"{output}: {error!r}",
            resolution="build it: `lab/guests/frr/build`",
        ) from None
    known = {image.name: image for image in store.list()}.get(FREE_GUEST)
    if known is not None and known.sha256 == wanted and not store.check(known):
        return known
    return store.add(output / "frr.qcow2", FREE_GUEST, sha256=wanted)


def _meant(name: str, known: Sequence[str]) -> str:
    import difflib  # only where something is wrong

    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _how_to_get(name: str) -> str:
    fetch = "`labctl image import FILE --name " + name + "`"
    if name == FREE_GUEST:
        return (
            'build it: `labctl image import "$(lab/guests/frr/build --print-path)" '
            f"--name {FREE_GUEST}`"
        )
    return f"import it: {fetch}"


def _timestamp(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).isoformat(timespec="seconds")
