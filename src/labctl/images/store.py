"""The image store: golden images by content, and names that point to them.

FOLDER/sha256-DIGEST.qcow2    the images, 0444, never opened for writing
FOLDER/names/NAME.json        the manifests (labctl.images.manifest)
FOLDER/incoming/              what is being imported (labctl.images.admit)
FOLDER/nameless/DIGEST.json   when an image was last read that no name points to any more
FOLDER/store.lock             held while the store changes

A name can move on to other content; nodes stand on the digest, so theirs doesn't change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labctl.errors import ImageError
from labctl.filelock import locked
from labctl.images import manifest, tombstone
from labctl.images.admit import admit
from labctl.images.digest import file_digest
from labctl.images.intake import Request
from labctl.images.names import is_safe
from labctl.images.told import Told, nobody
from labctl.model.image import NEVER, Image

FREE_GUEST = "frr"
MAX_VERIFIED_AGE = timedelta(days=7)
"""A disk can rot under an unchanged mtime, so the bytes are read again once a week."""
NAMELESS = "sha256-"
"""What an image is called that no name points to: this and the beginning of its digest."""
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
        if is_safe(name):
            tombstone.refuse_if_buried(self._names, name)
        known = [path.stem for path in self._names.glob("*.json")]
        raise ImageError(
            f"no image {name!r} in the store",
            details=f"{self.folder} has: {', '.join(sorted(known)) or 'none yet'}",
            resolution=_advice(name, known),
        )

    def add(self, file: Path, name: str, source: str = "", *, sha256: str = "") -> Image:
        """Take a copy of `file` into the store as `name`; adding the same again changes nothing.

        `source` tells where it came from (default: the file's path), `sha256` what it must be.
        Raises ImageError when the name is unsafe, the digest another, or the file no healthy
        qcow2 that stands on its own.
        """
        return admit(self, Request(file, name, source, sha256=sha256, qcow2_only=True))

    def check(
        self,
        image: Image,
        *,
        now: datetime | None = None,
        max_age: timedelta = MAX_VERIFIED_AGE,
    ) -> tuple[str, ...]:
        """What is wrong with `image`: cheap, unless it looks touched or was not read for `max_age`.

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
            problems = (writable(image.path),)
        age = (now or datetime.now(UTC)) - datetime.fromisoformat(image.verified)
        if found.st_mtime_ns != image.mtime_ns or not timedelta(0) <= age <= max_age:
            problems += self.verify(image, now=now)
        return problems

    def verify(
        self, image: Image, *, now: datetime | None = None, told: Told = nobody
    ) -> tuple[str, ...]:
        """Read and hash all of `image`; what is wrong. A whole one is marked as verified.

        A damaged one is marked as never read, under all of its names: no later check takes a young
        age and an mtime put back for its word.
        """
        try:
            mtime_ns = image.path.stat().st_mtime_ns
            digest = file_digest(image.path, told=told)
        except OSError as error:
            return (f"{image.path}: {error.strerror}",)
        whole = digest == image.sha256
        self._mark(image, mtime_ns, _timestamp(now) if whole else NEVER)
        if whole:
            return ()
        return (f"{image.path} was changed: its SHA-256 is {digest}, {image.sha256} was imported",)

    def of_file(self, path: Path) -> Image:
        """The image in the golden file `path`, under any of its names.

        One that no name points to any more is known by its digest alone; it passes for whole by
        the note of its last check, and without one it must be read. Raises ImageError when `path`
        is no golden file of this store.
        """
        digest = path.stem.removeprefix("sha256-")
        if path.parent.resolve() != self.folder.resolve() or path.name != f"sha256-{digest}.qcow2":
            raise ImageError(
                f"{path} is no golden image of {self.folder}",
                resolution="make the node anew: `labctl rebuild LAB --node NODE`",
            )
        if named := self.named(digest):
            return named[0]
        note = self._note(digest)
        if note.exists():
            return manifest.read(note)
        size = path.stat().st_size if path.exists() else 0
        name = f"{NAMELESS}{digest[:12]}"
        return Image(name, path.absolute(), digest, size, 0, 0, NEVER, "", NEVER)

    def named(self, sha256: str) -> tuple[Image, ...]:
        """The images of that file, by name; broken manifests are passed over."""
        return tuple(image for image in self._readable() if image.sha256 == sha256)

    def showing(self, content: str) -> tuple[Image, ...]:
        """The images that show a guest that disk, by name; broken manifests are passed over."""
        return tuple(image for image in self._readable() if image.content == content)

    def _readable(self) -> Iterator[Image]:
        for path in sorted(self._names.glob("*.json")):
            with suppress(ImageError):
                yield manifest.read(path)

    def _mark(self, image: Image, mtime_ns: int, verified: str) -> None:
        """Note in the manifests of all names of this content when its bytes were read."""
        with self.changing():
            names = self.named(image.sha256)
            for known in names:
                marked = replace(known, mtime_ns=mtime_ns, verified=verified)
                manifest.write(self.manifest_path(known.name), marked)
            if not names:
                marked = replace(image, mtime_ns=mtime_ns, verified=verified)
                manifest.write(self._note(image.sha256), marked)

    def _note(self, sha256: str) -> Path:
        """Where the last check of an image is noted that no name points to."""
        return self.folder / "nameless" / f"{sha256}.json"

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


def writable(path: Path) -> str:
    """What `check` says of a golden file that anybody may write to."""
    return f"{path} is writable: `chmod a-w` it"


def _advice(name: str, known: Sequence[str]) -> str:
    """The near name that was meant; how to get the image where it may be another release's."""
    import difflib  # only where something is wrong

    near = difflib.get_close_matches(name, known, n=1)
    if not near:
        return _how_to_get(name)
    meant = f"did you mean {near[0]!r}?"
    is_release = re.sub(r"\d+", "", name) == re.sub(r"\d+", "", near[0])
    return f"{meant}\n{_how_to_get(name)}" if is_release else meant


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
