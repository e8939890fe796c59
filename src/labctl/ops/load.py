"""From what a user types for LAB (a file, `-`, or a lab's name) to the lab it describes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from labctl.atomic import write_atomically
from labctl.errors import LabctlError, Problem, TopologyError, UsageError
from labctl.model.identity import is_safe_name
from labctl.model.lab import Lab
from labctl.model.paths import Home, LabPaths
from labctl.model.retention import Retention, told
from labctl.ops.labs import no_such_lab

Reader = Callable[[str], str]
_LARGEST_FILE = 16 * 1024 * 1024


def load_lab(ref: str, home: Home) -> Lab:
    """The lab `ref` means.

    Raises UsageError when there is no such file or lab, TopologyError when the file is wrong.
    """
    return load_with_files(ref, home)[0]


def load_with_files(ref: str, home: Home) -> tuple[Lab, Mapping[str, str]]:
    """The lab, and the text of every file its topology refers to, by the path as written."""
    if ref == "-":
        return _parse(sys.stdin.read(), "<stdin>", _relative_to(Path.cwd()))
    if not is_reference_to_file(ref):
        return _kept(ref, home)
    path = Path(ref)
    return _parse(_read_topology(path), ref, _relative_to(path.parent))


def lab_name(ref: str, home: Home) -> str:
    """The name of the lab `ref` means, without needing a kept topology for a plain name."""
    if ref == "-" or is_reference_to_file(ref):
        return load_lab(ref, home).name
    if not is_safe_name(ref):
        raise UsageError(
            f"{ref!r} is neither a topology file nor a lab's name",
            resolution="`labctl status` lists the labs there are",
        )
    return ref


def is_reference_to_file(ref: str) -> bool:
    """True when `ref` is written like a path, or is one."""
    return "/" in ref or ref.endswith((".yaml", ".yml")) or _is_file(ref)


def _is_file(ref: str) -> bool:
    try:
        return Path(ref).is_file()
    except OSError:  # longer than any file's name
        return False


def keep_topology(paths: LabPaths, lab: Lab, files: Mapping[str, str]) -> str:
    """Keep the topology as applied, so that the lab can be named instead of its file.

    Its retention policy is kept apart: a restore takes the topology back, never the policy.
    Gives back in words that it is another than the lab had, "" where it isn't.
    """
    from_file = lab.source != str(paths.topology)
    news = _news(_in_force(paths), lab.retention) if from_file else ""
    _keep(paths.files, json.dumps(dict(files)))
    _keep(paths.topology, lab.text)
    if from_file:
        _keep(paths.retention, json.dumps(lab.retention._asdict()))
    return news


def load_retention(ref: str, home: Home) -> Retention:
    """The policy of the file `ref` names, or the one last applied to the lab it names.

    Raises as `load_lab`, also when what was kept can't be read.
    """
    kept = home.lab(ref).retention if ref != "-" and not is_reference_to_file(ref) else None
    if kept is None or not kept.is_file():
        return load_lab(ref, home).retention
    return _read_retention(kept)


def _read_retention(path: Path) -> Retention:
    try:
        policy = Retention(**json.loads(_read(path)))
        return policy._replace(protect=tuple(policy.protect))
    except (ValueError, TypeError):
        raise UsageError(
            f"{path} can't be made out", resolution="`labctl up FILE` writes it anew"
        ) from None


def _in_force(paths: LabPaths) -> Retention | None:
    """The policy the lab has so far: an empty one when it can't be read, None for a new lab."""
    try:
        if paths.retention.is_file():
            return _read_retention(paths.retention)
        return load_kept(paths)[0].retention if paths.topology.is_file() else None
    except (LabctlError, ValueError, LookupError, TypeError, OSError):
        return Retention()


def _news(was: Retention | None, policy: Retention) -> str:
    if was is None or was == policy:
        return ""
    if words := told(policy):
        return f"retention policy is now: {words}"
    return "retention policy is gone: nothing is pruned any more"


def _keep(path: Path, text: str) -> None:
    """Write what differs from what is there."""
    with suppress(OSError):
        if path.read_bytes() == text.encode():
            return
    write_atomically(path, text.encode())


def _kept(name: str, home: Home) -> tuple[Lab, Mapping[str, str]]:
    paths = home.lab(name)
    if not is_safe_name(name) or not paths.topology.is_file():
        known = [path.parent.name for path in home.labs.glob("*/topology.yaml")]
        raise no_such_lab(f"there is no lab {name!r} here, nor a file of that name", name, known)
    return load_kept(paths)


def load_kept(paths: LabPaths) -> tuple[Lab, Mapping[str, str]]:
    """The lab that `keep_topology` kept, and the text of the files it refers to."""
    kept = json.loads(paths.files.read_text()) if paths.files.is_file() else {}
    return _parse(_read_topology(paths.topology), str(paths.topology), kept.__getitem__)


def _parse(text: str, source: str, read: Reader) -> tuple[Lab, Mapping[str, str]]:
    from labctl.topology.load import load  # only for commands that read a file
    from labctl.topology.platforms import load_platforms

    files: dict[str, str] = {}

    def recording(name: str) -> str:
        files[name] = read(name)
        return files[name]

    return load(text, source=source, platforms=load_platforms(), read_file=recording), files


def _relative_to(folder: Path) -> Reader:
    return lambda name: _read(folder / name)


def _read_topology(path: Path) -> str:
    try:
        return _read(path)
    except UnicodeDecodeError as error:
        what = f"this is no UTF-8 text: {error.reason} at byte {error.start}"
        raise TopologyError([Problem(str(path), 0, 0, what)]) from None


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UsageError(f"{path} is larger than {_LARGEST_FILE // 1024**2} MiB")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"can't read {path}: {error.strerror}",
            resolution="give a topology file, or the name of a lab that is up (`labctl status`)",
        ) from None
