"""The same without root: an ordinary user's own session libvirtd, image store and lab."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from labctl.hypervisor.connect import connect
from labctl.images.store import FREE_GUEST, ImageStore

from .conftest import ROOT, Labctl

pytestmark = [
    pytest.mark.integration,
    pytest.mark.libvirtd,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.geteuid() != 0, reason="all other tests run as this ordinary user"),
]

BECOME = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--no-new-privs"]
DEADLINE = 60.0
TOPOLOGY = """\
lab: small
fabric:
  spines: 1
  leaves: 1
  hosts_per_leaf: 1
  vrfs:
    - name: tenant-a
      vni: 50001
      networks: [{name: web, vlan: 10, vni: 10010, gateway: 10.10.10.1/24}]
"""


@dataclass(frozen=True)
class User:
    """Somebody with a home, a session libvirtd and nothing else."""

    home: Path
    python: str

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "LANG": "C.UTF-8",
            "PYTHONPATH": f"{ROOT / 'src'}:{sysconfig.get_path('purelib')}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def labctl(self, *words: str) -> str:
        """Run labctl as a user does: no `--connect`, no LABCTL_HOME."""
        done = subprocess.run(
            [*BECOME, self.python, "-m", "labctl", *words],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"labctl {' '.join(words)}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.labctl(*words, "--json"))


def python_for_anybody(home: Path) -> str:
    """A Python of this version that others than root may run, and that can import labctl."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(version, path="/usr/bin:/usr/local/bin")):
        if python is None:
            continue
        user = User(home, python)
        probe = [*BECOME, python, "-c", "import labctl, libvirt, markupsafe"]
        if subprocess.run(probe, env=user.environment, check=False, cwd="/").returncode == 0:
            return python
    pytest.skip(f"`nobody` can run no {version} that imports labctl from {ROOT}")


@pytest.fixture
def user(labctl: Labctl) -> Iterator[User]:
    """`nobody` with a home; their libvirtd ends with the test. Its sockets' paths must be short."""
    home = Path("/tmp") / f"labctl-nobody-{os.getpid()}"
    home.mkdir()
    image = ImageStore(labctl.home.images).get(FREE_GUEST).path
    shutil.copy(image, home / "frr.qcow2")
    shutil.copy(ROOT / "scripts/libvirtd_supervisor.py", home)
    (home / "small.yaml").write_text(TOPOLOGY)
    for path in (home, *home.iterdir()):
        shutil.chown(path, "nobody")
        path.chmod(0o755)
    try:
        user = User(home, python_for_anybody(home))
        supervisor = [user.python, str(home / "libvirtd_supervisor.py"), "--private", str(home)]
        with subprocess.Popen(
            [*BECOME, *supervisor],
            env=user.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ):
            wait_for(home / "run/libvirt/libvirt-sock")
            yield user
    finally:
        shutil.rmtree(home, ignore_errors=True)


def wait_for(socket: Path) -> None:
    end = monotonic() + DEADLINE
    while not socket.exists():
        assert monotonic() < end, "no session libvirtd"
        sleep(0.05)


def test_a_fabric_without_root(user: User) -> None:
    user.labctl("image", "import", "--name", "frr", "frr.qcow2")
    result = user.json("up", "small.yaml")
    assert result["uri"] == "qemu:///session"
    assert result["verify"]["healthy"] is True
    with closing(connect(f"qemu+unix:///session?socket={user.home}/run/libvirt/libvirt-sock")) as h:
        assert "<interface type='user'>" in h.xml("small.leaf-1")
        assert h.networks() == ()
    assert "nothing to do" in user.labctl("up", "small.yaml")
    user.labctl("rebuild", "small", "--node", "host-1", "--no-verify")
    user.labctl("verify", "small", "--wait", "120")
    user.labctl("destroy", "small", "--yes")
    assert user.json("status")["labs"] == []
    assert not (user.home / ".local/share/labctl/labs/small").exists()
