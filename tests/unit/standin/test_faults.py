"""Faults on demand, on a pseudo-terminal: each shows what it says, as often as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.standin import DAY0, PASSWORD, leaf, playing
from standin.player import faults

QUESTION = r"\(yes/skip/no\)\[no\]: $"
LOADER = r"loader > $"


@pytest.mark.parametrize("name", ["panic", "inode-corruption-hang", "silence"])
def test_it_hangs(tmp_path: Path, name: str) -> None:
    last = {
        "panic": r"Kernel panic - not syncing.*\n",
        "inode-corruption-hang": r"Corrupt metadata in inode \d+\n",
        "silence": "Loading system software\n",
    }
    with playing(tmp_path, f"{DAY0}! standin: fault {name} 1\n") as line:
        line.expect(last[name])
        line.send("anybody there?")
        assert line.quiet(0.5)
    with playing(tmp_path) as line:  # once was what it said
        line.expect(LOADER)
        line.send("boot nxos.7.0.3.I7.4.bin")
        line.expect("login: $")


def test_loader_loop(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault loader-loop\n") as line:
        for _ in range(3):
            line.expect(LOADER)
            line.send("boot bootflash:nxos.7.0.3.I7.4.bin")


def test_memory_cap(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault memory-cap\n") as line:
        line.expect("Memory limit 3.8GB detected. Limiting routing table to 4k routes")
        line.login()
        assert "4002196 kB of memory" in line.run("show version")
        assert "u4route-mem minimum 128" in line.run("show running-config vdc")
        assert "MINOR" in line.run("show system resources")


def test_config_errors(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}{leaf(1, 1)}! standin: fault config-errors\n") as line:
        said = line.expect("login: $")
        assert "mtu 9216\n% Invalid command at '^' marker.\n" in said


def test_glued_syslog(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault glued-syslog\n") as line:
        line.expect(r"login: \d{4} .*%PLATFORM-2-MOD_DETECT.*\n")
        line.send("admin")
        line.expect(r"Password: \d{4} .*%PLATFORM-2-MOD_DETECT.*\n")
        line.send(PASSWORD)
        line.expect(r"leaf-1# \d{4} .*%ETHPORT-5-IF_UP.*\n")
        line.send("show hostname")
        line.expect(r"%ETHPORT-5-IF_UP: Interface mgmt0 is upleaf-1# $")


def test_poap_although_there_is_a_configuration(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault poap\n") as line:
        line.expect(QUESTION)
        line.send("skip")
        line.login()


def test_poap_loop(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault poap-loop\n") as line:
        for _ in range(3):
            line.expect(QUESTION)
            line.send("skip")


def test_weak_password(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault weak-password\n") as line:
        line.expect("secure password standard")
        line.send("no")
        for _ in range(2):
            line.expect('Enter the password for "admin": $')
            line.send(PASSWORD)
            line.expect("Wrong Password, Reason:")


def test_login_refused(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault login-refused\n") as line:
        for _ in range(2):
            line.expect("login: $")
            line.send("admin")
            line.expect("Password: $")
            line.send(PASSWORD)
            line.expect("Login incorrect")


def test_no_boot_variable(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault no-boot-variable\n") as line:
        line.login()
        assert "NXOS variable not set" in line.run("show boot")
        line.run("copy running-config startup-config")
        line.send("reload")
        line.expect("reboot the system")
        line.send("y")
        line.expect(LOADER)


def test_a_fault_typed_at_the_console_is_in_force_from_the_next_boot_on(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0) as line:
        line.login()
        assert line.run("! standin: fault no-such-fault") == "no such fault: no-such-fault"
        line.run("! standin: fault loader-loop")
        line.run("copy running-config startup-config")
        line.send("reload")
        line.expect("reboot the system")
        line.send("y")
        line.expect(LOADER)


def test_every_fault_is_tried_here() -> None:
    text = Path(__file__).read_text()
    tried = set(re.findall(r"fault ([\w-]+)\\n", text)) | {
        "panic",
        "inode-corruption-hang",
        "silence",
    }
    assert set(faults.NAMES) <= tried


def test_a_fault_that_is_none_is_said_to_be_so(tmp_path: Path) -> None:
    with playing(tmp_path, f"{DAY0}! standin: fault no-such\n") as line:
        line.expect("stand-in: no such fault: no-such")
