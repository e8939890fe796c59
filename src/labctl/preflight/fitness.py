"""Can this host do it? KVM, machine types, devices, images, storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labctl.model.finding import Finding, Severity
from labctl.model.platform import Platform
from labctl.preflight.facts import Facts

SLOW_LOOKUP = 1.0
"""Seconds. libvirt answers from its cache in milliseconds; where a /dev/kvm is there and unusable,
its cache never holds and it starts some 20 QEMUs each time."""
_QEMU_NICS = {"virtio": "virtio-net-pci"}
"""libvirt's model names that aren't QEMU's."""


def choose_virt_type(facts: Facts) -> tuple[str, Finding]:
    """What the lab will run with (kvm, qemu or test), and why."""
    if facts.host.driver == "TEST":
        return "test", Finding("kvm", Severity.NOTE, "the test driver runs no machines")
    wanted, kvm = facts.intent.lab.requirements.kvm, facts.kvm
    if kvm is not None and kvm.usable:
        asked = " (asked before)" if kvm.cached else ""
        return "kvm", Finding("kvm", Severity.OK, f"KVM works: {kvm.reason}{asked}")
    if wanted is False and "qemu" in facts.virt_types:
        return "qemu", _emulated(facts, "as the file wants", Severity.OK, "")
    reason = kvm.reason if kvm is not None else "the file does not want it"
    if wanted:
        return "kvm", Finding(
            "kvm",
            Severity.REFUSE,
            f"the file demands KVM, and the KVM canary says no: {reason}",
            "run it on a host with KVM, or drop `host: {kvm: true}` from the file "
            "to run in software (much slower)",
        )
    if "qemu" not in facts.virt_types:
        message = f"libvirt offers no QEMU on this host, and no usable KVM: {reason}"
        return "qemu", Finding("kvm", Severity.REFUSE, message, "install qemu-system-x86")
    return "qemu", _emulated(
        facts,
        f"since KVM can't be used: {reason}",
        Severity.WARN if "kvm" in facts.virt_types else Severity.NOTE,
        "boots take several times as long without KVM",
    )


def _emulated(facts: Facts, why: str, severity: Severity, resolution: str) -> Finding:
    """A warning for platforms that it won't do for, whoever wants it."""
    message = f"software emulation (TCG), {why}"
    unfit = [(platform, nodes) for platform, nodes in _platforms(facts) if platform.without_kvm]
    if not unfit:
        return Finding("kvm", severity, message, resolution)
    told = "; ".join(f"{platform.name} {platform.without_kvm}" for platform, _ in unfit)
    return Finding(
        "kvm",
        Severity.WARN,
        f"{message}; {told}",
        "run it on a host with KVM",
        nodes=tuple(name for _, nodes in unfit for name in nodes),
    )


def check_lookups(facts: Facts) -> Iterable[Finding]:
    """Two slow capability look-ups in a row: libvirt's cache doesn't hold."""
    if len(facts.lookups) > 1 and min(facts.lookups) > SLOW_LOOKUP:
        first, second = facts.lookups[:2]
        yield Finding(
            "capabilities",
            Severity.WARN,
            f"libvirt took {first:.1f} s and then {second:.1f} s to tell what QEMU offers: "
            "its cache doesn't hold, as when /dev/kvm is there and unusable; "
            "every define will take as long",
            "hide /dev/kvm from libvirtd (a private /dev without it, or remove the node in the "
            "container), then restart libvirtd",
            evidence={"seconds": list(facts.lookups)},
        )


def check_machines(facts: Facts) -> Iterable[Finding]:
    """Machine types, disk buses and NIC models of the platforms in use."""
    if facts.intent.lab.requirements.kvm and "kvm" not in facts.virt_types:
        return  # refused already; there is no KVM machine to ask about
    for platform, nodes in _platforms(facts):
        machine = facts.machines.get(platform.machine)
        if machine is None or (machine.capabilities is None and not machine.refusal):
            yield Finding("machine", Severity.NOTE, "this driver does not tell what QEMU offers")
            return
        lacking = list(_lacking(facts, platform))
        yield Finding(
            "machine",
            Severity.REFUSE if lacking else Severity.OK,
            f"{platform.name}: {'; '.join(lacking)}"
            if lacking
            else f"{platform.name}: machine {platform.machine}, {platform.disk_bus} disks and "
            f"{platform.nic_model} NICs are offered",
            "install a QEMU that has it, or use another platform" if lacking else "",
            nodes=nodes if lacking else (),
        )


def _lacking(facts: Facts, platform: Platform) -> Iterator[str]:
    machine = facts.machines[platform.machine]
    offered = machine.capabilities
    if offered is None:
        yield machine.refusal
        return
    if platform.machine not in offered.machines:
        yield f"QEMU has no machine type {platform.machine}"
    for bus in dict.fromkeys((platform.disk_bus, platform.cdrom_bus)):
        if bus not in offered.disk_buses:
            yield f"machine {platform.machine} has no {bus} disks"
    nic = _QEMU_NICS.get(platform.nic_model, platform.nic_model)
    if facts.devices is not None and nic not in facts.devices:
        yield f"QEMU has no NIC model {platform.nic_model}"


def _platforms(facts: Facts) -> Iterator[tuple[Platform, tuple[str, ...]]]:
    used: dict[str, list[str]] = {}
    for name, node in facts.intent.nodes.items():
        used.setdefault(node.node.platform, []).append(name)
    for platform, nodes in used.items():
        yield facts.platforms[platform], tuple(nodes)


def check_emulator(facts: Facts) -> Iterable[Finding]:
    """The program libvirt would start."""
    if facts.emulator_missing:
        yield Finding(
            "emulator",
            Severity.REFUSE,
            f"libvirt would start {facts.emulator_missing}, which is not there",
            "install qemu-system-x86, then restart libvirtd",
        )


def check_firmware(facts: Facts) -> Iterable[Finding]:
    """What a machine of the platform boots with, where QEMU's own BIOS won't do."""
    for name, found in (facts.firmware or {}).items():
        platform = facts.platforms[name]
        places = ", ".join(image.code for image in platform.firmware)
        offered = facts.machines.get(platform.machine)
        kinds = offered.capabilities.loader_types if offered and offered.capabilities else None
        if found is None:
            message = f"{name} boots by UEFI only, and no OVMF is here; looked for {places}"
            yield Finding("firmware", Severity.REFUSE, message, "install it: `apt install ovmf`")
        elif kinds is not None and found.kind not in kinds:
            message = f"{name}: libvirt offers no firmware of type {found.kind} ({found.code})"
            yield Finding("firmware", Severity.REFUSE, message, "use a newer libvirt")
        else:
            yield Finding("firmware", Severity.OK, f"{name}: {found.code} as {found.kind}")


def check_tools(facts: Facts) -> Iterable[Finding]:
    """What labctl itself runs on the host."""
    if facts.qemu_img_missing:
        yield Finding(
            "qemu-img",
            Severity.REFUSE,
            "qemu-img is not installed, so no overlay can be made",
            "install it: `apt install qemu-utils`",
        )


def check_storage(facts: Facts) -> Iterable[Finding]:
    """The folder of disks: ours to write, QEMU's to reach."""
    if facts.storage is None:
        return
    for problem in facts.storage.problems:
        yield Finding(
            "storage",
            Severity.REFUSE,
            problem,
            "mend its permissions, or set LABCTL_HOME to a folder both labctl and QEMU can use",
        )
    if not facts.storage.problems:
        yield Finding(
            "storage", Severity.OK, f"{facts.home.folder} is writable and in QEMU's reach"
        )
