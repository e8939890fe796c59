"""Console streams of real guests: a boot sector that sends back every byte it gets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest

from harness.backends import Backend
from labctl.errors import HypervisorError
from labctl.hypervisor.api import ConsoleStream

pytestmark = pytest.mark.libvirtd

DEADLINE = 60.0
NAME = "contract.echo"
ECHO = bytes.fromhex(
    "fa"  #        0: cli             or SeaBIOS's timer reads the port as well
    "bafd03"  #    1: mov dx, 3fdh    COM1's line status
    "ec a801"  #   4: in al, dx; test al, 1
    "74fb"  #      7: jz 4            until a byte came
    "baf803"  #    9: mov dx, 3f8h    COM1's data
    "ec 88c4"  #  12: in al, dx; mov ah, al
    "bafd03"  #   15: mov dx, 3fdh
    "ec a820"  #  18: in al, dx; test al, 20h
    "74fb"  #     21: jz 18           until one may be sent
    "baf803"  #   23: mov dx, 3f8h
    "88e0 ee"  #  26: mov al, ah; out dx, al
    "ebe2"  #     29: jmp 1
)


@pytest.fixture
def echo(real: Backend, tmp_path: Path) -> Iterator[Backend]:
    """The echoing guest, running, its console recorded in tmp_path/console.log."""
    real.hypervisor.define(echo_xml(real, NAME, tmp_path))
    real.hypervisor.start(NAME)
    yield real
    real.hypervisor.destroy(NAME)


def echo_xml(backend: Backend, name: str, folder: Path) -> str:
    disk = folder / "echo.raw"
    disk.write_bytes(ECHO.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    xml = backend.xml(
        name,
        devices=f"""<disk type='file' device='disk'><driver name='qemu' type='raw'/>
          <source file='{disk}'/><target dev='hda' bus='ide'/></disk>""",
    )
    log = f"<serial type='pty'><log file='{folder}/console.log' append='off'/></serial>"
    return xml.replace("<serial type='pty'/>", log)


def read_until(console: ConsoleStream, expected: bytes) -> bytes:
    heard, end = b"", monotonic() + DEADLINE
    while expected not in heard and monotonic() < end:
        heard += console.read(1.0)
    assert expected in heard
    return heard


def ask(console: ConsoleStream, word: bytes) -> None:
    """Say a word until it comes back: the firmware swallows what comes before the guest runs."""
    heard, end = b"", monotonic() + DEADLINE
    while word not in heard and monotonic() < end:
        console.write(word)
        while word not in heard and (data := console.read(1.0)):
            heard += data
    assert word in heard


def test_bytes_go_both_ways_and_into_the_log(echo: Backend, tmp_path: Path) -> None:
    console = echo.hypervisor.open_console(NAME)
    ask(console, b"<hello>")
    sent = bytes(range(32, 127)) * 20 + b"<end>"
    console.write(sent)
    assert read_until(console, b"<end>").endswith(sent)
    console.close()
    console.close()
    log, end = tmp_path / "console.log", monotonic() + DEADLINE
    while sent not in log.read_bytes() and monotonic() < end:
        sleep(0.05)  # virtlogd writes when it gets round to it
    assert b"SeaBIOS" in log.read_bytes()
    assert sent in log.read_bytes()


def test_silence_is_no_end(echo: Backend) -> None:
    console = echo.hypervisor.open_console(NAME)
    ask(console, b"<hello>")
    while console.read(1.0):
        pass
    assert console.read(0.01) == b""
    ask(console, b"<still there>")
    console.close()


def test_one_at_a_time_unless_forced(echo: Backend) -> None:
    first = echo.hypervisor.open_console(NAME)
    with pytest.raises(HypervisorError, match="somebody else is attached"):
        echo.hypervisor.open_console(NAME)
    second = echo.hypervisor.open_console(NAME, force=True)
    ask(second, b"<mine>")
    with pytest.raises(EOFError):
        read_until(first, b"never said")
    first.close()
    second.close()


def test_the_end_of_the_guest_ends_the_stream(echo: Backend) -> None:
    console = echo.hypervisor.open_console(NAME)
    ask(console, b"<hello>")
    echo.hypervisor.destroy(NAME)
    with pytest.raises(EOFError):
        read_until(console, b"never said")
    with pytest.raises(EOFError):
        console.write(b"x")
    console.close()


def test_a_machine_that_is_off_has_no_console(real: Backend, tmp_path: Path) -> None:
    real.hypervisor.define(echo_xml(real, NAME, tmp_path))
    with pytest.raises(HypervisorError) as caught:
        real.hypervisor.open_console(NAME)
    assert "VIR_ERR_OPERATION_INVALID" in caught.value.details


def test_streams_and_calls_at_once(real: Backend, tmp_path: Path) -> None:
    """Several consoles, read and written by threads, with calls on the shared connection."""
    names = ["contract.echo-1", "contract.echo-2"]
    for name in names:
        (tmp_path / name).mkdir()
        real.hypervisor.define(echo_xml(real, name, tmp_path / name))
        real.hypervisor.start(name)

    def talk(name: str) -> None:
        console = real.hypervisor.open_console(name)
        for number in range(20):
            ask(console, f"<{name} {number}>".encode())
            assert real.hypervisor.domain(name) is not None
        console.close()

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(talk, name) for name in names]:
            done.result(DEADLINE)
