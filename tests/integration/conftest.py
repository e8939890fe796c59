"""A lab folder with the free guest's image in it, and labctl's command line against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labctl.hypervisor.api import Hypervisor
from labctl.hypervisor.connect import connect
from labctl.images.store import FREE_GUEST, ImageStore
from labctl.model.paths import Home

ROOT = Path(__file__).parents[2]


def example(name: str, folder: Path, lab: str) -> Path:
    """An example topology as a lab of the tests' own: whoever runs it under its own name on this
    machine has its network there."""
    text = (ROOT / f"topologies/{name}.yaml").read_text()
    assert f"lab: {name}\n" in text
    path = folder / f"{lab}.yaml"
    path.write_text(text.replace(f"lab: {name}\n", f"lab: {lab}\n"))
    return path


@dataclass(frozen=True)
class Labctl:
    """The real program, with a folder and a hypervisor of its own."""

    home: Home
    uri: str

    def __call__(self, *words: str, expect: int | tuple[int, ...] = 0, stdin: str = "") -> str:
        """Run `labctl WORDS`; its stdout. Fails the test on any other exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "labctl", "--connect", self.uri, *words],
            env={**os.environ, "LABCTL_HOME": str(self.home.folder)},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        wanted = expect if isinstance(expect, tuple) else (expect,)
        assert done.returncode in wanted, (
            f"labctl {' '.join(words)}: exit {done.returncode}, expected {expect}\n"
            f"{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def json(self, *words: str, expect: int | tuple[int, ...] = 0) -> Any:
        """The JSON document `labctl WORDS --json` prints."""
        return json.loads(self(*words, "--json", expect=expect))

    def shell(self, lab: str, node: str, command: str) -> str:
        """What `command` prints in the node's shell; it must succeed there."""
        return self("exec", lab, "--node", node, "--shell", command)

    def vtysh(self, lab: str, node: str, *commands: str) -> None:
        """Type commands into the node's FRR command line, as a person would on its console."""
        words = " ".join(f"-c '{command}'" for command in commands)
        self.shell(lab, node, f"vtysh {words}")

    def machines(self) -> dict[str, int]:
        """LAB.NODE -> pid of its QEMU; those of this folder, whatever else runs on the machine.

        A node that was restarted has another pid.
        """
        found = {}
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = entry.read_bytes()
            except OSError:
                continue  # it has ended
            if b"qemu-system" in command and os.fsencode(self.home.folder) in command:
                name = command.split(b"guest=")[1].split(b",")[0].decode()
                found[name] = int(entry.parent.name)
        return found

    def hypervisor(self) -> Hypervisor:
        return connect(self.uri)


@pytest.fixture(scope="session")
def labctl(tmp_path_factory: pytest.TempPathFactory, libvirtd_uri: str) -> Labctl:
    home = Home(tmp_path_factory.mktemp("labctl"))
    home.folder.chmod(0o755)
    built = subprocess.run(
        [ROOT / "lab/guests/frr/build", "--print-path"],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    ImageStore(home.images).add(Path(built.stdout.strip()), FREE_GUEST)
    return Labctl(home, libvirtd_uri)


def identity(hypervisor: Hypervisor, domain: str) -> Mapping[str, object]:
    """What must stay the same through a rebuild."""
    found = hypervisor.domain(domain)
    assert found is not None
    return {"uuid": found.uuid, "macs": found.macs, "udp": found.udp}
