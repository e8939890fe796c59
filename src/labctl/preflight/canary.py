"""Does KVM work here? Run a tiny guest and hear its answer; nothing less proves it.

A /dev/kvm that opens, libvirt offering `kvm` and a BIOS that prints can all be had on hosts where
no kernel ever boots (docs/adr/0005-kvm-canary.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labctl.atomic import write_atomically
from labctl.errors import HypervisorError
from labctl.filelock import locked
from labctl.hypervisor.api import DomainState, HostFacts, Hypervisor
from labctl.model.paths import Home
from labctl.preflight.guest import ANSWER, boot_disk, domain_xml, progress

NAME_PREFIX = "labctl-canary-"
ANSWER_SECONDS = 5.0
"""Working KVM answers in a fraction of a second."""
_POLL_SECONDS = 0.02
_LOOK_EVERY = 10
"""Polls between two looks at whether the machine still runs."""
_LOCK_SECONDS = 60.0
_PROVED_FOR = 12 * 3600.0
_DISPROVED_FOR = 600.0
"""Shorter: whoever has mended KVM should not have to know of a cache."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class KvmVerdict:
    """What came of asking. `seconds` is how long the canary took, now or when it was asked."""

    usable: bool
    reason: str
    seconds: float
    cached: bool


def prove_kvm(
    hypervisor: Hypervisor, home: Home, host: HostFacts, *, virt_type: str = "kvm"
) -> KvmVerdict:
    """Run the canary, or take the verdict of the last time if host and versions are the same.

    Raises no error for a host without KVM: that is a verdict. DeadlineError when another run
    keeps at it too long. A `virt_type` other than kvm is for proving the canary itself. The
    machine is gone when this returns; one that a killed run left goes first.
    """
    if virt_type not in hypervisor.virt_types():
        return KvmVerdict(False, f"libvirt offers no {virt_type} on this host", 0.0, False)
    with _locked(home):
        cache = home.cache / f"kvm-{_key(host, virt_type)}.json"
        if known := _recall(cache):
            return known
        verdict, definite = _ask(hypervisor, home, host, virt_type)
        if definite:
            _remember(cache, verdict)
    return verdict


def domain_name(home: Home) -> str:
    """The canary's domain: one name for each home, so that its next run finds one left behind."""
    return NAME_PREFIX + hashlib.sha256(str(home.folder).encode()).hexdigest()[:8]


def _ask(
    hypervisor: Hypervisor, home: Home, host: HostFacts, virt_type: str
) -> tuple[KvmVerdict, bool]:
    """Run the canary once. The flag tells a verdict from a canary that could not be started."""
    name = domain_name(home)
    folder = home.cache / "canary"
    folder.mkdir(parents=True, exist_ok=True)
    disk, log = folder / "canary.img", folder / "canary.log"
    started = time.monotonic()
    try:
        hypervisor.destroy(name)
        disk.write_bytes(boot_disk())
        log.unlink(missing_ok=True)
        hypervisor.run_transient(domain_xml(name, virt_type, disk, log))
        heard, ended = _listen(hypervisor, name, log if host.is_local else None)
    except (HypervisorError, OSError) as error:
        reason = f"the canary could not be started: {error}"
        return KvmVerdict(False, reason, time.monotonic() - started, False), False
    finally:
        with contextlib.suppress(HypervisorError):
            hypervisor.destroy(name)
        disk.unlink(missing_ok=True)
        log.unlink(missing_ok=True)
    seconds = time.monotonic() - started
    if ANSWER in heard:
        return KvmVerdict(True, f"the canary answered in {seconds:.1f} s", seconds, False), True
    how = ended or f"no answer within {ANSWER_SECONDS:g} s"
    return KvmVerdict(False, f"the canary failed: {how}; {progress(heard)}", seconds, False), True


def _listen(hypervisor: Hypervisor, name: str, log: Path | None) -> tuple[bytes, str]:
    """What the canary said until its answer, its end or the deadline, and how it ended if so."""
    with _ear(hypervisor, name, log) as ear:
        end = time.monotonic() + ANSWER_SECONDS
        heard, polls = b"", 0
        while time.monotonic() < end:
            heard += ear.read(_POLL_SECONDS)
            if ANSWER in heard:
                break
            polls += 1
            if polls % _LOOK_EVERY == 0 and (ended := _end_of(hypervisor, name)):
                return heard + ear.read(_POLL_SECONDS), ended
    return heard, ""


def _end_of(hypervisor: Hypervisor, name: str) -> str:
    domain = hypervisor.domain(name)
    if domain is None:
        return "its machine ended"
    if domain.state is not DomainState.RUNNING:
        return f"its machine was stopped ({domain.state.value}), as QEMU does on an error in KVM"
    return ""


class _Ear:
    """Reads what the canary says: from its log where that is a file of ours, else its console."""

    def __init__(self, hypervisor: Hypervisor, name: str, log: Path | None) -> None:
        self._console = None
        self._file = None
        if log is not None:
            # virtlogd makes the file before the machine starts; only root may read it
            with contextlib.suppress(OSError):
                self._file = log.open("rb")
        if self._file is None:
            self._console = hypervisor.open_console(name, force=True)

    def read(self, timeout: float) -> bytes:
        if self._console is not None:
            with contextlib.suppress(EOFError):
                return self._console.read(timeout)
        time.sleep(timeout)
        return self._file.read() if self._file is not None else b""

    def close(self) -> None:
        for source in (self._console, self._file):
            if source is not None:
                source.close()


@contextmanager
def _ear(hypervisor: Hypervisor, name: str, log: Path | None) -> Iterator[_Ear]:
    ear = _Ear(hypervisor, name, log)
    try:
        yield ear
    finally:
        ear.close()


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    """One canary at a time for this home, so that the one found running was left behind."""
    home.locks.mkdir(parents=True, exist_ok=True)
    with locked(home.locks / "canary.lock", deadline=_LOCK_SECONDS, what="the KVM canary"):
        yield


def _key(host: HostFacts, virt_type: str) -> str:
    """Changes with the boot of the host and with every version KVM's working depends on."""
    boot = host.hostname
    if host.is_local:
        with contextlib.suppress(OSError):
            boot = _BOOT_ID.read_text(encoding="ascii").strip()
    parts = (virt_type, host.uri, boot, host.libvirt_version, host.hypervisor_version)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _recall(cache: Path) -> KvmVerdict | None:
    try:
        data = json.loads(cache.read_text(encoding="utf-8"))
        age = time.time() - float(data["asked"])
        verdict = KvmVerdict(
            bool(data["usable"]), str(data["reason"]), float(data["seconds"]), True
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fresh = 0 <= age <= (_PROVED_FOR if verdict.usable else _DISPROVED_FOR)
    return verdict if fresh else None


def _remember(cache: Path, verdict: KvmVerdict) -> None:
    data = {
        "asked": time.time(),
        "usable": verdict.usable,
        "reason": verdict.reason,
        "seconds": verdict.seconds,
    }
    write_atomically(cache, json.dumps(data).encode())
