"""Quarantine: damaged images put aside as evidence, out of every lab's reach, never repaired.

FOLDER/CASE/            a sealed case, read-only:
    case.json           what it is (labctl.model.case)
    IMAGE               the file itself
    manifest-NAME.json  what the store knew of it, for each of its names
    check.json, chain.json, inspection.json, notes.txt
    sha256sums          of all the others, as `sha256sum -c` takes it
FOLDER/CASE.tar         the same in one file, if asked for
FOLDER/CASE.sealing/    a case that is being sealed: a run that is killed leaves it to the next
FOLDER/CASE.part/       one that is being prepared; nothing was touched yet, so it is thrown away

A name whose image is in quarantine leaves a tombstone beside the store's manifests.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path

from labctl import process
from labctl.atomic import appearing, write_atomically
from labctl.errors import ImageError
from labctl.images import tombstone
from labctl.images.digest import file_digest
from labctl.images.store import ImageStore
from labctl.model.case import Case

SUMS = "sha256sums"
_PREPARED, _SEALING = ".part", ".sealing"
_COPY_SECONDS = 3600.0


class Quarantine:
    """The cases below one folder, and the store their images came from."""

    def __init__(self, folder: Path, store: ImageStore) -> None:
        self.folder = folder
        self._store = store

    def cases(self) -> tuple[Case, ...]:
        """All sealed cases, oldest first."""
        return tuple(read(path.parent) for path in sorted(self.folder.glob("*/case.json")))

    def get(self, case_id: str) -> Case | None:
        """The case of that id, None when there is none."""
        folder = self.folder / case_id
        return read(folder) if case_id and (folder / "case.json").is_file() else None

    def path(self, case: Case) -> Path:
        """The case's folder."""
        return self.folder / case.id

    def free_id(self, wanted: str) -> str:
        """`wanted`, with a number behind it where a case of that id is there already."""
        taken = {path.name.split(".")[0] for path in self.folder.glob("*")}
        number = 1
        while (free := wanted if number == 1 else f"{wanted}-{number}") in taken:
            number += 1
        return free

    def seal(self, case: Case, evidence: Mapping[str, bytes]) -> Path:
        """Put the image aside with its `evidence` (file name -> content); the case's folder.

        Whole or not at all: what a killed run began is ended by `resume`. Raises ImageError when
        the disk is full or not ours to write.
        """
        prepared = self.folder / f"{case.id}{_PREPARED}"
        with _telling(case), self._store.changing():
            shutil.rmtree(prepared, ignore_errors=True)
            prepared.mkdir(parents=True)
            if not case.moved:
                _copy(Path(case.source), prepared / case.file)
            for name in case.names:
                kept = self._store.manifest_path(name).read_bytes()
                write_atomically(prepared / f"manifest-{name}.json", kept)
            for name, content in evidence.items():
                write_atomically(prepared / name, content)
            text = json.dumps(asdict(case), indent=2, sort_keys=True) + "\n"
            write_atomically(prepared / "case.json", text.encode())
            prepared.rename(self.folder / f"{case.id}{_SEALING}")
            return self._finish(case)

    def resume(self) -> tuple[Case, ...]:
        """End what killed runs began; the cases that are sealed by that."""
        unsealed = (*self.folder.glob(f"*{_PREPARED}"), *self.folder.glob(f"*{_SEALING}"))
        if not unsealed:  # whoever may only read, reads
            return ()
        with self._store.changing():
            for left in self.folder.glob(f"*{_PREPARED}"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            begun = [read(path) for path in sorted(self.folder.glob(f"*{_SEALING}"))]
            for case in begun:
                self._finish(case)
        return tuple(begun)

    def pack(self, case: Case) -> Path:
        """One tar file of a sealed case beside its folder, holes left out."""
        tar = self.folder / f"{case.id}.tar"
        with _telling(case), self._store.changing():
            with appearing(tar, durable=True) as part:
                process.run(
                    ["tar", "--sparse", "-C", self.folder, "-cf", part, "--", case.id],
                    deadline=_COPY_SECONDS,
                )
            tar.chmod(0o444)
        return tar

    def _finish(self, case: Case) -> Path:
        """From the first step that can't be thrown away; each may have been done before."""
        sealing = self.folder / f"{case.id}{_SEALING}"
        sealing.chmod(0o755)
        for name in case.names:
            self._bury(name, case, sealing)
        if case.moved:
            _move(Path(case.source), sealing / case.file, case.inode)
        _lock_down(sealing)
        return sealing.rename(self.folder / case.id)

    def _bury(self, name: str, case: Case, sealing: Path) -> None:
        """Have the name point to the case, unless it points to other content by now."""
        manifest = self._store.manifest_path(name)
        known = (sealing / f"manifest-{name}.json").read_bytes()
        if manifest.exists() and manifest.read_bytes() != known:
            return
        tombstone.bury(manifest.parent, name, case, self.folder / case.id)
        manifest.unlink(missing_ok=True)


def read(folder: Path) -> Case:
    """The case in `folder`. Raises ImageError when its record can't be read."""
    path = folder / "case.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        known = {field.name: data[field.name] for field in fields(Case)}
        known |= {key: tuple(known[key]) for key in ("names", "nodes")}
        return Case(**known)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError(
            f"the quarantine case in {folder} can't be read",
            details=f"{path}: {error!r}",
            resolution="look into the folder by hand; nothing in it was changed",
        ) from None


def _copy(file: Path, to: Path) -> None:
    process.run(
        ["cp", "--reflink=auto", "--sparse=always", "--preserve=timestamps", "--", file, to],
        deadline=_COPY_SECONDS,
    )


def _move(source: Path, target: Path, inode: int) -> None:
    """Move the file, unless it was moved before or another took its place."""
    if not source.exists() or source.stat().st_ino != inode:
        return
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with appearing(target, durable=True) as part:
            _copy(source, part)
        source.unlink()


def _lock_down(folder: Path) -> None:
    """Write the hash list, and make all of it read-only."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    lines = [f"{_sum(path)}  {path.name}\n" for path in files]
    write_atomically(folder / SUMS, "".join(lines).encode())
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)


def _sum(path: Path) -> str:
    """The file's SHA-256; of one that the disk won't give back whole, why."""
    try:
        return file_digest(path)
    except OSError as error:
        return f"# can't be read ({os.strerror(error.errno or 0)}):"


@contextlib.contextmanager
def _telling(case: Case) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImageError(
            f"can't seal the quarantine case {case.id}: {error.strerror}",
            details=str(error.filename or ""),
            resolution="make room or mend its permissions, then run it again: it takes it on",
        ) from None
