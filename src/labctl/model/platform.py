"""A device family as data: read from lab/platforms/*.yaml by `labctl.topology.platforms`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from labctl.model.release import Release


@dataclass(frozen=True, slots=True)
class InterfaceNames:
    """How the device names its NICs.

    `management` is NIC 0 ("" where the device has none); data NIC n (n >= 1) is
    `data_prefix` + str(n), up to `maximum` data NICs. A device of `modules` (ports of each)
    counts its NICs through them: with (64, 16), NIC 65 is `data_prefix` + "2/1".
    """

    management: str
    data_prefix: str
    maximum: int
    modules: tuple[int, ...] = ()

    def number(self, name: str) -> int | None:
        """The NIC number of a data interface name, or None when it is no such name."""
        rest = name.removeprefix(self.data_prefix)
        if rest == name:
            return None
        module, slash, port = rest.rpartition("/")
        if bool(slash) != bool(self.modules):
            return None
        number = _number(port)
        if number is not None and self.modules:
            number = self._in_module(_number(module), number)
        return number if number is not None and number <= self.maximum else None

    def name(self, number: int) -> str:
        for module, ports in enumerate(self.modules, start=1):
            if number <= ports:
                return f"{self.data_prefix}{module}/{number}"
            number -= ports
        return f"{self.data_prefix}{number}"

    def _in_module(self, module: int | None, port: int) -> int | None:
        if module is None or module > len(self.modules) or port > self.modules[module - 1]:
            return None
        return sum(self.modules[: module - 1]) + port


def _number(digits: str) -> int | None:
    """A whole number from 1, written without leading zeros."""
    if not digits.isascii() or not digits.isdigit() or digits[0] == "0":
        return None
    return int(digits)


class PhaseRule(NamedTuple):
    """One boot phase: entered when `pattern` (a bytes regex on a console line) is seen.

    `deadline` is seconds allowed from entering this phase to entering the next. A phase may come
    again after later ones, when the machine was restarted, unless it is `once`: what says it (a
    login prompt, say) is then also seen on a machine that is up, and holds only going forward.
    """

    name: str
    pattern: str
    deadline: float
    once: bool = False


class FaultRule(NamedTuple):
    """A console line that names a fault, when it was seen `times` times on the way to a phase."""

    name: str
    pattern: str
    explanation: str
    times: int = 1


ANSWERS = (
    "boot",
    "end",
    "enter",
    "exit",
    "load-nxos",
    "no",
    "password",
    "space",
    "user",
    "y",
    "yes",
)
"""What a PromptRule may answer: `enter` and `space` are keys, `user` and `password` the login,
`boot` what the loader needs; the others are typed as they are."""


class PromptRule(NamedTuple):
    """A question on the console and the answer to it.

    `pattern` (a bytes regex) must hold at any longer text that begins alike (no `$`), and match no
    more than 512 bytes, so that it fires at the same byte however the stream is split. `<host>` in
    it stands for the node's host name, and for nothing where that isn't known. `answer` is one of
    ANSWERS, "" for a prompt that is only noted.
    """

    kind: str
    pattern: str
    answer: str


class Firmware(NamedTuple):
    """A firmware image to look for on the host: `rom` (whole, stateless) or `pflash` with the
    template of its variables."""

    kind: str
    code: str
    variables: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseRule:
    """What a device's software needs, from release `first` to `last` (None: open). MiB.

    `products`: those it is about, () for all; `lite` None for both. `least_ports`: for machines
    with at least so many data NICs. `syntax` names the command language.
    """

    title: str
    products: tuple[str, ...]
    first: Release | None
    last: Release | None
    lite: bool | None
    least_ports: int
    memory: int
    memory_floor: int
    memory_floor_source: str
    vcpus: int
    ports: int
    syntax: str


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything labctl knows about a device family that is not code. Memory in MiB."""

    name: str
    description: str
    device: str
    """The package under labctl.devices that speaks to it: frr, linux or nxos."""
    default_image: str
    memory: int
    memory_floor: int
    memory_floor_source: str
    vcpus: int
    roles: tuple[str, ...]
    interfaces: InterfaceNames
    domain_template: str
    machine: str
    disk_bus: str
    nic_model: str
    cdrom_bus: str
    phases: tuple[PhaseRule, ...]
    """Boot phases in order; the last one's pattern means ready (its deadline is unused)."""
    start_deadline: float
    """Seconds from power-on to the first phase."""
    faults: tuple[FaultRule, ...]
    console_login: str
    """What to tell a newcomer about logging in on the console."""
    stop_deadline: float
    """Seconds an ACPI shutdown may take before labctl forces the machine off."""
    automation: str = "agent"
    """How labctl speaks to it: `agent` (QEMU's guest agent) or `console` (its serial console)."""
    day0_label: str = "LABCTL"
    """Volume label of the day-0 medium."""
    mac_prefix: str = "02"
    """The first bytes of its NICs' MACs, as hex pairs with colons."""
    fillers: bool = False
    """Whether NICs are told apart by their order alone, so that gaps need unplugged ones."""
    boot_variable: bool = True
    """Whether a device that is led over its console must name the image it boots, to be ready."""
    serial_ports: int = 1
    cpu_hide: tuple[str, ...] = ()
    """CPU features its kernel can't bear."""
    firmware: tuple[Firmware, ...] = ()
    """Where to look for its firmware, in order; () for the BIOS QEMU brings."""
    evpn_over: str = "link"
    """Under eBGP: EVPN runs on the `link`'s session, or on one of its own between each
    `loopback`."""
    prompts: tuple[PromptRule, ...] = ()
    releases: tuple[ReleaseRule, ...] = ()
    """What differs by release of its software; the first that fits holds."""
    without_kvm: str = ""
    """What its nodes are like under software emulation, where that is as good as no use."""
    products: tuple[str, ...] = ()
    """Whose images it runs, as `labctl.model.image_name` calls them; none where their names tell
    nothing."""
