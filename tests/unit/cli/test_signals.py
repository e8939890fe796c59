"""Ctrl-C in two stages, in processes of their own: the second stage ends the process."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from harness.site import Site, pair
from labctl.cli.main import main

SCRIPT = """
import sys, time
from labctl.cli.signals import two_stages
from labctl.ops.context import Interrupt

interrupt = Interrupt()
with two_stages(interrupt, "lab"):
    print("ready", flush=True)
    interrupt.wait(30)
    print("interrupted", flush=True)
    {after}
print("ended cleanly", flush=True)
"""


ONE_STAGE = """
import time
from labctl.cli.signals import one_stage
from labctl.errors import Interrupted
from labctl.ops.context import Interrupt

interrupt = Interrupt()
try:
    with one_stage(interrupt, "left half way"):
        try:
            print("ready", flush=True)
            time.sleep(30)
        finally:
            print("ending", interrupt.is_set(), flush=True)
            {after}
except Interrupted as error:
    print(error.brief, int(error.exit_code), flush=True)
"""


def start(after: str, script: str = SCRIPT) -> subprocess.Popen[str]:
    script = script.format(after=after)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert line(process) == "ready\n"
    return process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_lets_the_run_end_by_itself(number: signal.Signals) -> None:
    process = start("pass")
    process.send_signal(number)
    code, out, err = end(process)
    assert (code, out) == (0, "interrupted\nended cleanly\n")
    assert "ending cleanly" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_of_one_stage_the_first_ends_at_once_and_says_what_is_left(number: signal.Signals) -> None:
    process = start("pass", ONE_STAGE)
    process.send_signal(number)
    assert end(process) == (0, "ending True\nleft half way 130\n", "")


def test_of_one_stage_the_second_ends_the_process() -> None:
    process = start("time.sleep(30)", ONE_STAGE)
    process.send_signal(signal.SIGINT)
    assert line(process) == "ending True\n"
    process.send_signal(signal.SIGINT)
    code, _, err = end(process)
    assert (code, err) == (130, "\nlabctl: left half way\n")


def test_an_interrupted_import_says_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("labctl.ops.image_import.import_image", interrupted)
    assert main(["image", "import", str(tmp_path / "a.qcow2")]) == 130
    assert "the same command goes on from there" in capsys.readouterr().err


def test_the_second_ends_at_once_and_says_what_is_left() -> None:
    process = start("time.sleep(30)")
    process.send_signal(signal.SIGINT)
    assert line(process) == "interrupted\n"
    process.send_signal(signal.SIGINT)
    code, out, err = end(process)
    assert (code, out) == (130, "")
    assert "`labctl status` shows what is left of lab" in err


def test_the_second_works_where_python_itself_is_deaf() -> None:
    """A library call that returns to Python for no signal, as libvirt's are."""
    deaf = (
        "import hashlib; print('deaf', flush=True); "
        "hashlib.pbkdf2_hmac('sha256', b'', b'', 2**30)"  # minutes, without Python's lock
    )
    process = start(deaf)
    process.send_signal(signal.SIGINT)
    assert line(process) == "interrupted\n"
    assert line(process) == "deaf\n"
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 130


def test_handlers_are_as_they_were_afterwards() -> None:
    from labctl.cli.signals import two_stages
    from labctl.ops.context import Interrupt

    before = signal.getsignal(signal.SIGINT)
    with two_stages(Interrupt(), "lab"):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_live_view_is_told_of_the_first(
    by_command_line: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written past it would be overdrawn, and its own lines drawn twice."""

    def interrupted(_domain: Element) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    by_command_line.write(pair("a"))
    by_command_line.fake.on_start = interrupted
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    assert main(["up", str(by_command_line.file)]) == 130
    assert "ending cleanly" in screen.getvalue()
