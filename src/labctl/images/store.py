"""The image store: golden images by content, and names that point to them.

FOLDER/sha256-DIGEST.qcow2    the images, 0444, never opened for writing
FOLDER/names/NAME.json        the manifests (labctl.images.manifest)
FOLDER/incoming/              what is being imported (labctl.images.work)
FOLDER/store.lock             held while the store changes

A name can move on to other content; nodes stand on the digest, so theirs doesn't change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from labctl.errors import DeadlineError, ImageError
from labctl.filelock import locked
from labctl.images import manifest, work
from labctl.images.digest import file_digest
from labctl.images.fitness import refuse_unfit_header
from labctl.images.intake import Prepared, Request, prepare
from labctl.images.qcow2 import read_header
from labctl.images.told import Told, nobody
from labctl.model.image import Image, Provenance

FREE_GUEST = "frr"
MAX_VERIFIED_AGE = timedelta(days=7)
"""A disk can rot under an unchanged mtime, so the bytes are read again once a week."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
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
        _refuse_unsafe(name)
        try:
            refuse_unfit_header(file, read_header(file))
        except OSError as error:
            raise _unreadable(file, error) from None
        return self.admit(Request(file, name, source, sha256=sha256))

    def admit(self, request: Request, told: Told = nobody) -> Image:
        """Take a disk of any format into the store; as `add`, which takes qcow2 files alone.

        `told` hears how far it is. A run that was killed is gone on with by asking for the same.
        """
        _refuse_unsafe(request.name)
        try:
            with self._importing() as folder:
                prepared = prepare(request, folder, told)
                with self._locked():
                    image = self._place(prepared, request)
                work.clear(folder)
        except OSError as error:
            raise _unreadable(request.file, error) from None
        return image

    def names_of(self, image: Image) -> tuple[str, ...]:
        """All names that share the file of `image`."""
        return tuple(known.name for known in self.list() if known.path == image.path)

    def forget(self, image: Image) -> None:
        """Remove the name, and nothing else."""
        with self._locked():
            self._manifest(image.name).unlink(missing_ok=True)

    def remember(self, image: Image) -> None:
        """Put a name back that was just forgotten."""
        with self._locked():
            manifest.write(self._manifest(image.name), image)

    def discard(self, image: Image) -> int:
        """Remove the file of an image without names; the bytes that gives back."""
        with self._locked():
            if self.names_of(image) or not image.path.exists():
                return 0
            image.path.unlink()
        return image.size

    def sweep(self) -> None:
        """Remove what killed imports left, unless one is running."""
        with suppress(DeadlineError), self._importing(deadline=0) as folder:
            work.clear(folder)

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

    @contextmanager
    def _importing(self, *, deadline: float = _LOCK_SECONDS) -> Iterator[Path]:
        """The folder imports are prepared in, one at a time."""
        folder = self.folder / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / work.LOCK, deadline=deadline, what="the image store's imports"):
            yield folder

    def _place(self, prepared: Prepared, request: Request) -> Image:
        """Name the prepared file by its content, and point the name to it."""
        golden = self.folder / f"sha256-{prepared.sha256}.qcow2"
        if not golden.exists() or file_digest(golden) != prepared.sha256:
            prepared.path.chmod(_GOLDEN_MODE)
            prepared.path.replace(golden)
        golden.chmod(_GOLDEN_MODE)
        found = golden.stat()
        now = _timestamp(None)
        image = Image(
            name=request.name,
            path=golden.absolute(),
            sha256=prepared.sha256,
            size=found.st_size,
            virtual_size=prepared.virtual_size,
            mtime_ns=found.st_mtime_ns,
            imported=now,
            source=request.source or str(request.file.absolute()),
            verified=now,
            content=prepared.content,
            given=prepared.given,
            provenance=self._provenance(prepared),
            published=prepared.published,
            leaks=prepared.leaks,
        )
        return self._record(image)

    def _provenance(self, prepared: Prepared) -> Provenance:
        """A salvaged disk stays one under any name and in any form."""
        for known in self.list():
            if known.provenance is Provenance.SALVAGED and known.content == prepared.content:
                return Provenance.SALVAGED
        return prepared.provenance

    def _record(self, image: Image) -> Image:
        """Write the manifest, unless it says the same already."""
        path = self._manifest(image.name)
        if path.exists():
            known = manifest.read(path)
            told = replace(
                image, imported=known.imported, verified=known.verified, source=known.source
            )
            if told == known:
                return known
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


def _refuse_unsafe(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ImageError(
            f"{name!r} can't be an image's name",
            resolution="use letters, digits, dot, dash and underscore, 64 at most, "
            "beginning with a letter or digit",
        )


def _unreadable(file: Path, error: OSError) -> ImageError:
    return ImageError(f"can't import {file}: {error.strerror}", details=str(error.filename or file))


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
