"""An import that was killed is gone on with, and never trusts what it can't."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.given import made
from labctl.errors import ImageError
from labctl.images.admit import admit
from labctl.images.intake import Request
from labctl.images.store import ImageStore

_CHILD = """
import sys
from pathlib import Path
from labctl.images.admit import admit
from labctl.images.admit import admit
from labctl.images.intake import Request
from labctl.images.store import ImageStore
print(admit(ImageStore(Path(sys.argv[1])), Request(Path(sys.argv[2]), "a")).sha256)
"""


def run_with(tmp_path: Path, store: ImageStore, file: Path, **scripts: str) -> tuple[int, str]:
    """An import by another process, with programs of the test's own before those of the system."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    argv = [sys.executable, "-c", _CHILD, str(store.folder), str(file)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    for name in scripts:
        (folder / name).unlink()
    return done.returncode, done.stdout.strip()


_COUNTED_CP = 'echo x >> "$0.count"; exec /bin/cp "$@"'
_KILLED = "kill -9 $PPID; sleep 1"


def copies(tmp_path: Path) -> int:
    path = tmp_path / "bin/cp.count"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_killed_after_the_copy_it_does_not_copy_again(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    file = made(raw, "qcow2")
    code, _ = run_with(tmp_path, store, file, cp=_COUNTED_CP, **{"qemu-img": _KILLED})
    assert (code, copies(tmp_path)) == (-signal.SIGKILL, 1)
    code, sha256 = run_with(tmp_path, store, file, cp=_COUNTED_CP)
    assert (code, copies(tmp_path)) == (0, 1)
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_killed_in_the_copy_the_half_is_not_trusted(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    file = made(raw, "qcow2")
    half = 'for to; do :; done; head -c 100000 /dev/zero > "$to"; ' + _KILLED
    code, _ = run_with(tmp_path, store, file, cp=half)
    assert code == -signal.SIGKILL
    assert (store.folder / "incoming/image.part").exists()
    code, sha256 = run_with(tmp_path, store, file, cp=_COUNTED_CP)
    assert (code, copies(tmp_path)) == (0, 1)
    assert sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("changed", ["source", "copy"])
def test_what_changed_since_the_kill_is_copied_again(
    store: ImageStore, raw: Path, tmp_path: Path, changed: str
) -> None:
    file = made(raw, "qcow2")
    run_with(tmp_path, store, file, cp=_COUNTED_CP, **{"qemu-img": _KILLED})
    path = file if changed == "source" else store.folder / "incoming/image"
    os.utime(path, ns=(1, 1))
    code, _ = run_with(tmp_path, store, file, cp=_COUNTED_CP)
    assert (code, copies(tmp_path)) == (0, 2)


def test_a_source_that_changes_while_it_is_copied_is_refused(
    store: ImageStore, raw: Path, tmp_path: Path
) -> None:
    file = made(raw, "qcow2")
    code, _ = run_with(tmp_path, store, file, cp=f'/bin/cp "$@"; touch "{file}"')
    assert code != 0
    assert store.list() == ()
    assert [path.name for path in (store.folder / "incoming").iterdir()] == ["lock"]


def test_a_copy_that_fails_leaves_nothing(
    store: ImageStore, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "bin"
    full.mkdir()
    (full / "cp").write_text("#!/bin/sh\necho No space left on device >&2; exit 1\n")
    (full / "cp").chmod(0o755)
    monkeypatch.setenv("PATH", f"{full}:{os.environ['PATH']}")
    with pytest.raises(ImageError, match="can't copy") as caught:
        admit(store, Request(made(raw, "qcow2"), "a"))
    assert caught.value.details == "No space left on device"
    assert [path.name for path in (store.folder / "incoming").iterdir()] == ["lock"]
