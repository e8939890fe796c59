"""One run at a time; nothing left after it; the holder is named."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labctl.errors import LabLocked
from labctl.model.paths import Home
from labctl.ops.lock import holder, lab_lock, port_lock, sweep


def test_lock_leaves_no_file(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with lab_lock(home, "a", "up a.yaml"):
        assert home.lab("a").lock.exists()
    assert not home.lab("a").lock.exists()


def test_taken_lock_names_its_holder(tmp_path: Path) -> None:
    home = Home(tmp_path)
    second = lab_lock(home, "a", "down a")
    with lab_lock(home, "a", "up a.yaml"), pytest.raises(LabLocked) as caught, second:
        pytest.fail("both runs hold the lock")
    assert f"`labctl up a.yaml` (pid {os.getpid()}" in caught.value.details
    assert caught.value.exit_code == 10


def test_other_labs_are_free(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with lab_lock(home, "a", "up"), lab_lock(home, "b", "up"):
        assert holder(home.lab("a").lock) is not None
        assert holder(home.lab("b").lock) is not None


def test_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from labctl.model.paths import Home\n"
        "from labctl.ops.lock import lab_lock\n"
        "lock = lab_lock(Home(Path(sys.argv[1])), 'a', 'up'); lock.__enter__()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    home = Home(tmp_path)
    assert ended.returncode == -9
    assert home.lab("a").lock.exists(), "the kill came before the lock was taken"
    assert holder(home.lab("a").lock) is None
    with lab_lock(home, "a", "up"):
        pass
    assert not home.lab("a").lock.exists()


def test_port_lock_is_handed_over(tmp_path: Path) -> None:
    home = Home(tmp_path)
    order: list[str] = []
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with port_lock(home, "test:///default"):
            inside.set()
            leave.wait(10)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    threading.Timer(0.2, leave.set).start()
    with port_lock(home, "test:///default"):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert list(home.locks.iterdir()) == []


def test_what_a_killed_holder_had_started_is_waited_for(tmp_path: Path) -> None:
    """The orphan ends when this test closes its standard input."""
    code = (
        "import os, sys, threading; from pathlib import Path; from labctl.model.paths import Home\n"
        "from labctl import process; from labctl.ops.lock import lab_lock\n"
        "with lab_lock(Home(Path(sys.argv[1])), 'a', 'up'):\n"
        "    command = ['sh', '-c', f'kill -9 {os.getpid()}; cat /dev/fd/{sys.argv[2]}']\n"
        "    process._inherited.add(int(sys.argv[2]))\n"
        "    process.run(command, deadline=60)\n"
    )
    reading, writing = os.pipe()
    words = [sys.executable, "-c", code, str(tmp_path), str(reading)]
    assert subprocess.run(words, pass_fds=[reading], check=False).returncode == -9
    home, order = Home(tmp_path), []

    def let_go() -> None:
        order.append("orphan")
        os.close(writing)

    os.close(reading)
    threading.Timer(0.2, let_go).start()
    with lab_lock(home, "a", "up"):
        order.append("next run")
    assert order == ["orphan", "next run"]


def test_sweep_takes_only_what_nobody_holds(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.locks.mkdir()
    (home.locks / "ports-stale.lock").touch()
    with port_lock(home, "test:///default"):
        (held,) = [path for path in home.locks.iterdir() if path.name != "ports-stale.lock"]
        sweep(home)
        assert list(home.locks.iterdir()) == [held]
