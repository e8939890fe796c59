"""The free guest image, booted by QEMU alone: what lab/guests/frr/README.md promises, shown."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pycdlib
import pytest

BUILD = Path(__file__).resolve().parents[2] / "lab/guests/frr/build"
DEADLINE = 120.0  # for anything the guest does; generous, as emulation on a busy machine is slow
FIRST_MAC, SECOND_MAC = "52:54:00:00:00:01", "52:54:00:00:00:02"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="no qemu-system-x86_64"),
]


class Console:
    """The guest's first serial port: all that was printed, and waiting for what will be."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._text = ""
        self._seen = 0
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        while data := self._process.stdout.read1(65536):  # type: ignore[attr-defined]
            with self._news:
                self._text += data.decode(errors="replace").replace("\r", "")
                self._news.notify_all()

    def expect(self, pattern: str) -> str:
        """Wait for the pattern in what no earlier call has consumed; return the text up to it."""
        end = time.monotonic() + DEADLINE
        with self._news:
            while not (match := re.search(pattern, self._text[self._seen :])):
                left = end - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    pytest.fail(f"no {pattern!r} on the console:\n{self._text[-3000:]}")
                self._news.wait(min(left, 1.0))
            start = self._seen
            self._seen += match.end()
            return self._text[start : self._seen]

    def send(self, line: str, end: str = "\n") -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}{end}".encode())
        self._process.stdin.flush()

    def login(self) -> None:
        self.expect("login: ")
        self.answer_login()

    def answer_login(self, first: str = "", name_end: str = "\n", password_end: str = "\n") -> None:
        for end in first:
            self.send("", end)
            self.expect("login: ")
        self.send("root", name_end)
        assert self.expect("Password: ").count("root") == 1  # one echo: getty's, not the tty's too
        self.send("labctl", password_end)
        self.expect("# ")

    def run(self, command: str) -> str:
        """Run a command in the shell that login() opened and return what it printed."""
        self.send(f"{command}; echo done-$((40 + 2))")
        self.expect("\n")  # the echo of the command
        printed = self.expect(r"done-42\n").removesuffix("done-42\n")
        self.expect("# ")  # what is typed before the prompt is echoed twice
        return printed


class Guest:
    def __init__(self, process: subprocess.Popen[bytes], agent_socket: Path) -> None:
        self.process = process
        self.console = Console(process)
        self._agent_socket = agent_socket

    def agent(self, command: str, answer: bool = True, **arguments: Any) -> Any:
        """One command to the guest agent."""
        with socket.socket(socket.AF_UNIX) as agent:
            agent.settimeout(DEADLINE)
            agent.connect(str(self._agent_socket))
            request = {"execute": command, "arguments": arguments}
            agent.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(agent.makefile().readline())["return"] if answer else None

    def power_off(self) -> None:
        self.agent("guest-shutdown", answer=False)
        self.process.wait(DEADLINE)


@contextmanager
def booted(disk: Path, day0: Path | None = None, cards: int = 2) -> Iterator[Guest]:
    agent = disk.with_suffix(".agent")
    command = ["qemu-system-x86_64", "-machine", "pc,accel=tcg", "-m", "256", "-nodefaults"]
    command += ["-display", "none", "-serial", "stdio", "-device", "virtio-serial"]
    command += ["-drive", f"file={disk},if=virtio,format=qcow2"]
    command += ["-chardev", f"socket,id=agent,path={agent},server=on,wait=off"]
    command += ["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]
    if day0:
        command += ["-drive", f"file={day0},if=ide,media=cdrom,format=raw,readonly=on"]
    for number in range(cards):
        command += ["-netdev", f"hubport,id=n{number},hubid={number}"]
        mac = f"52:54:00:00:00:{number + 1:02x}"
        command += ["-device", f"virtio-net-pci,netdev=n{number},mac={mac},romfile="]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield Guest(process, agent)
        finally:
            process.kill()


def write_day0(path: Path, files: Mapping[str, str]) -> Path:
    iso = pycdlib.PyCdlib()
    iso.new(rock_ridge="1.09", vol_ident="LABCTL")
    for number, (name, text) in enumerate(files.items()):
        data = text.encode()
        iso.add_fp(io.BytesIO(data), len(data), f"/F{number}.;1", rr_name=name)
    iso.write(str(path))
    iso.close()
    return path


@pytest.fixture(scope="module")
def image() -> Path:
    built = subprocess.run([BUILD, "--print-path"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(built.stdout.strip())


@pytest.fixture
def disk(image: Path, tmp_path: Path) -> Path:
    overlay = tmp_path / "node.qcow2"
    backing = ["-F", "qcow2", "-b", str(image)]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, overlay], check=True)
    return overlay


ROUTER = {
    "hostname": "leaf-1\n",
    "ifnames": f"{SECOND_MAC} eth0\n{FIRST_MAC} eth1\n",  # the other way round than the kernel's
    "sysctl.conf": "net.ipv4.ip_forward=1\nnet.ipv4.conf.br10.arp_accept=1\n",
    "ip.batch": (
        "link add br10 type bridge stp_state 0\n"
        "link add vni10010 type vxlan id 10010 local 10.0.0.1 dstport 4789 nolearning\n"
        "link set vni10010 master br10 up\n"
        "link set br10 up\n"
    ),
    "bridge.batch": "link set dev vni10010 neigh_suppress on learning off\n",
    "daemons": "zebra\nbgpd\n",
    "frr.conf": "hostname leaf-1\nrouter bgp 65001\n bgp router-id 10.0.0.1\nexit\n",
    "instance": "first\n",
}


def test_two_builds_give_the_same_bytes(image: Path, tmp_path: Path) -> None:
    # The packages are taken from the cache: they are the input, not the point.
    shutil.copytree(image.parent / "packages", tmp_path / "packages")
    digests = set()
    for _ in range(2):
        subprocess.run([BUILD, "--force", "--print-path", "--out", tmp_path], check=True)
        digests.add(hashlib.sha256((tmp_path / "frr.qcow2").read_bytes()).hexdigest())
    manifest = json.loads((tmp_path / "frr.json").read_text())
    assert digests == {manifest["sha256"]}
    assert digests == {json.loads(image.with_suffix(".json").read_text())["sha256"]}


def test_router_boots_and_keeps_what_was_saved(disk: Path, tmp_path: Path) -> None:
    day0 = write_day0(tmp_path / "day0.iso", ROUTER)
    with booted(disk, day0) as guest:
        guest.console.expect(r"labctl-guest: phase ready\n")
        assert guest.agent("guest-ping") == {}
        guest.console.login()
        links = guest.console.run("ip -br link; bridge -d link show dev vni10010")
        assert re.search(rf"^eth0 .*{SECOND_MAC}", links, re.MULTILINE)
        assert re.search(rf"^eth1 .*{FIRST_MAC}", links, re.MULTILINE)
        assert "neigh_suppress on" in links
        sysctls = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/br10/arp_accept"
        assert guest.console.run(sysctls) == "1\n1\n"
        guest.console.run(
            "vtysh -c 'conf t' -c 'router bgp 65001' -c 'neighbor 10.9.9.9 remote-as 65009'"
            " -c end -c 'write memory'"
        )
        guest.power_off()

    # The same day-0 again: the saved configuration stands, the kernel's state is made anew.
    with booted(disk, day0) as guest:
        guest.console.expect(r"labctl-guest: phase ready\n")
        guest.console.login()
        assert "neighbor 10.9.9.9" in guest.console.run("vtysh -c 'show running-config'")
        guest.console.run("echo unsynced >/root/note")
        guest.process.kill()  # a power cut

    # A new day-0 wins.
    day0 = write_day0(tmp_path / "day0.iso", {**ROUTER, "instance": "second\n"})
    with booted(disk, day0) as guest:
        guest.console.expect(r"labctl-guest: phase ready\n")
        guest.console.login()
        running = guest.console.run("vtysh -c 'show running-config'")
        assert "router bgp 65001" in running
        assert "neighbor 10.9.9.9" not in running


def test_bad_day0_lines_are_named_and_the_rest_applied(disk: Path, tmp_path: Path) -> None:
    day0 = {
        "hostname": "bad;name\n",
        "ifnames": f"{FIRST_MAC} lan\n02:00:00:00:00:99 nowhere\n{SECOND_MAC} a/b\n",
        "sysctl.conf": "net.ipv4.nonsense=1\n",
        # The second line ends `ip` at once, the fourth only fails.
        "ip.batch": (
            "link add d1 type dummy\naddress add nonsense dev lan\n"
            "link add d2 type dummy\nlink set absent up\nlink add d3 type dummy\n"
        ),
        "daemons": "zebra\nno-such\n",
        "frr.conf": "interface lan\n no-such-command\nexit\n",
        "instance": "$(touch /root/executed)\n",
    }
    with booted(disk, write_day0(tmp_path / "day0.iso", day0)) as guest:
        said = guest.console.expect(r"labctl-guest: phase ready errors=8\n")
        places = re.findall(r"labctl-guest: error: ([a-z.]+:\d+): ", said)
        assert places == [
            "hostname:1", "ifnames:2", "ifnames:3", "ip.batch:2", "ip.batch:4",
            "sysctl.conf:1", "daemons:2", "frr.conf:2",
        ]  # fmt: skip
        guest.console.login()
        links = guest.console.run("ip -br link")
        assert all(name in links for name in ("lan ", "d1 ", "d2 ", "d3 "))
        assert guest.console.run("ls /root") == ""


def test_login_whatever_key_ends_a_line(disk: Path, tmp_path: Path) -> None:
    enter, newline = "\r", "\n"  # what a terminal's Enter sends, and what a script writes
    with booted(disk, write_day0(tmp_path / "day0.iso", ROUTER)) as guest:
        for first, name_end, password_end in (
            (enter, enter, enter),
            ("", enter, enter),
            ("", newline, newline),
            (newline, enter, enter),
            (newline + enter, newline, enter),
        ):
            guest.console.expect("login: ")
            # init sets up the terminal of what it starts, also while the prompt stands there.
            guest.agent("guest-exec", path="/usr/bin/killall", arg=["acpid"])
            time.sleep(2.0)  # a person's pause, longer than init's before it starts a program anew
            guest.console.answer_login(first, name_end, password_end)
            guest.console.send("exit", enter)


def test_without_day0_there_is_a_login(disk: Path) -> None:
    with booted(disk, cards=1) as guest:
        guest.console.expect(r"labctl-guest: phase ready\n")
        guest.console.expect("labctl-guest login: ")
        assert guest.agent("guest-ping") == {}
