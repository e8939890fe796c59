"""The image store: golden images by content, and names that point to them.

FOLDER/sha256-DIGEST.qcow2    the images, 0444, never opened for writing
FOLDER/names/NAME.json        the manifests (labctl.images.manifest)
FOLDER/store.lock             held while the store changes

A name can move on to other content; nodes stand on the digest, so theirs doesn't change.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labctl import process
from labctl.atomic import appearing
from labctl.errors import ImageError
from labctl.filelock import locked
from labctl.images import manifest, qemu_img
from labctl.images.qcow2 import Header, read_header
from labctl.model.image import Image

FREE_GUEST = "frr"
MAX_VERIFIED_AGE = timedelta(days=7)
"""A disk can rot under an unchanged mtime, so the bytes are read again once a week."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COPY_SECONDS = 3600.0
_LOCK_SECONDS = 600.0
_GOLDEN_MODE = 0o444


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
        if _NAME.fullmatch(name) and self._manifest(name).exists():
            return manifest.read(self._manifest(name))
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
        if not _NAME.fullmatch(name):
            raise ImageError(
                f"{name!r} can't be an image's name",
                resolution="use letters, digits, dot, dash and underscore, 64 at most, "
                "beginning with a letter or digit",
            )
        try:
            refuse_unfit(file, read_header(file))
            with self._locked():
                image = self._take(file, name, source or str(file.absolute()), sha256)
        except OSError as error:
            raise ImageError(
                f"can't import {file}: {error.strerror}", details=str(error.filename or file)
            ) from None
        return image

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
            digest = _sha256(image.path)
        except OSError as error:
            return (f"{image.path}: {error.strerror}",)
        if digest != image.sha256:
            return (
                f"{image.path} was changed: its SHA-256 is {digest}, {image.sha256} was imported",
            )
        verified = replace(image, mtime_ns=mtime_ns, verified=_timestamp(now))
        with self._locked():
            if self._is_current(image):
                manifest.write(self._manifest(image.name), verified)
        return ()

    def _is_current(self, image: Image) -> bool:
        """Does the name still point to this content?"""
        path = self._manifest(image.name)
        return path.exists() and manifest.read(path).sha256 == image.sha256

    def _manifest(self, name: str) -> Path:
        return self._names / f"{name}.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._names.mkdir(parents=True, exist_ok=True)
        lock = self.folder / "store.lock"
        with locked(lock, deadline=_LOCK_SECONDS, what="the image store"):
            yield

    def _take(self, file: Path, name: str, source: str, wanted: str) -> Image:
        """Copy, check the copy, name it by its content; under the store's lock."""
        part = self.folder / "import"
        with appearing(part, durable=True) as copy:
            _copy(file, copy)
            header = read_header(copy)
            refuse_unfit(file, header)
            qemu_img.check(copy)
            copy.chmod(_GOLDEN_MODE)
            digest = _sha256(copy)
            if wanted not in ("", digest):
                raise ImageError(
                    f"{file} is not the image it should be",
                    details=f"SHA-256 {digest} instead of {wanted}",
                    resolution="get or build it again",
                )
        golden = self.folder / f"sha256-{digest}.qcow2"
        if golden.exists() and _sha256(golden) == digest:
            part.unlink()
        else:
            part.replace(golden)
        return self._record(golden, name, source, digest, header)

    def _record(self, golden: Path, name: str, source: str, digest: str, header: Header) -> Image:
        """Point `name` to `golden`, unless it does already."""
        golden.chmod(_GOLDEN_MODE)
        found = golden.stat()
        path = self._manifest(name)
        if path.exists():
            known = manifest.read(path)
            if (known.sha256, known.mtime_ns) == (digest, found.st_mtime_ns):
                return known
        image = Image(
            name=name,
            path=golden.absolute(),
            sha256=digest,
            size=found.st_size,
            virtual_size=header.virtual_size,
            mtime_ns=found.st_mtime_ns,
            imported=_timestamp(None),
            source=source,
            verified=_timestamp(None),
        )
        manifest.write(path, image)
        return image


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


def refuse_unfit(file: Path, header: Header) -> None:
    """Raise ImageError when a qcow2 file can't be a golden image, for all the reasons there are."""
    faults = {
        f"it stands on a backing file, {header.backing}": header.backing,
        "its data is in another file": header.data_file,
        "it is encrypted": header.encrypted,
        "it is marked corrupt": header.corrupt,
        "it was not closed cleanly (dirty bit)": header.dirty,
    }
    found = [words for words, is_fault in faults.items() if is_fault]
    if found:
        raise ImageError(
            f"{file} can't be a golden image: {found[0]}",
            details="\n".join(found),
            resolution=f"make one file that stands on its own: "
            f"`qemu-img convert -O qcow2 {file} NEW.qcow2`",
        )


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


def _copy(file: Path, to: Path) -> None:
    """Copy, sharing blocks where the file system can, leaving holes as holes."""
    process.run(["cp", "--reflink=auto", "--sparse=always", "--", file, to], deadline=_COPY_SECONDS)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _timestamp(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).isoformat(timespec="seconds")
