"""show version, module, boot, system resources, vdc, interfaces, configurations."""

from __future__ import annotations

import time
from collections.abc import Iterator

from standin.player.config import Block
from standin.player.control import is_up
from standin.player.shows.output import Output, table
from standin.player.switch import IMAGE, RELEASE, Switch

NOTICE = "labctl stand-in for Nexus 9000v, not NX-OS: its console and its answers are played"
_FULL_MEMORY_KB = 8_000_000  # from here on a guest has what 8 GiB leave it
_LIMITS = (
    ("vlan", 16, 4094), ("vrf", 2, 4096), ("port-channel", 0, 511), ("u4route-mem", 248, 248),
    ("u6route-mem", 96, 96), ("m4route-mem", 58, 58), ("m6route-mem", 8, 8),
)  # fmt: skip


def version(switch: Switch) -> Output:
    """Fields and places as NX-OS has them, under a name that says what this is."""
    uptime = int(time.monotonic() - switch.started)
    days, rest = divmod(uptime, 86400)
    parts = days, rest // 3600, rest // 60 % 60, rest % 60
    text = f"""\
{NOTICE}

Software
  BIOS: version
  NXOS: version {RELEASE}
  BIOS compile time:
  NXOS image file is: bootflash:///{IMAGE}
  NXOS compile time:

Hardware
  cisco Nexus9000 9000v Chassis
  labctl stand-in CPU with {switch.memory_kb} kB of memory.
  Processor Board ID {switch.machine.serial}

  Device name: {switch.hostname}
  bootflash:    3509454 kB
Kernel uptime is {parts[0]} day(s), {parts[1]} hour(s), {parts[2]} minute(s), {parts[3]} second(s)

Last reset
  Reason: Unknown
  System version: {RELEASE}
  Service:

plugin
  Core Plugin, Ethernet Plugin
"""
    data = {
        "header_str": NOTICE,
        "bios_ver_str": "",
        "kickstart_ver_str": RELEASE,
        "kick_file_name": f"bootflash:///{IMAGE}",
        "chassis_id": "Nexus9000 9000v Chassis",
        "cpu_name": "labctl stand-in CPU",
        "memory": switch.memory_kb,
        "mem_type": "kB",
        "proc_board_id": switch.machine.serial,
        "host_name": switch.hostname,
        "bootflash_size": 3509454,
        **dict(
            zip(
                ("kern_uptm_days", "kern_uptm_hrs", "kern_uptm_mins", "kern_uptm_secs"),
                parts,
                strict=True,
            )
        ),
        "rr_reason": "Unknown",
        "rr_sys_ver": RELEASE,
        "rr_service": "",
        "manufacturer": "Cisco Systems, Inc.",
    }
    return Output(text, data)


def boot(switch: Switch) -> Output:
    """The boot variable, now and on the next reload: set is set, saved or not, as a transcript of
    7.0(3)I6(1) has it."""
    image = switch.boot_variable
    variable = f"NXOS variable = bootflash:/{image}" if image else "NXOS variable not set"
    poap = "Enabled" if switch.store.poap else "Disabled"
    said = f"\nsup-1\n{variable}\nBoot POAP {poap}\nNo module boot variable set\n"
    return Output(f"Current Boot Variables:\n{said}\nBoot Variables on next reload:\n{said}")


def module(switch: Switch) -> Output:
    """Line card and supervisor; the card comes up some time after the supervisor."""
    state = "ok" if switch.has_card else "powered-up"
    ports = str(max(len(switch.machine.macs) - 1, 0))
    rows = [
        {"modinf": "1", "ports": ports, "modtype": "Nexus 9000v Ethernet Module",
         "model": "N9K-9000v", "status": state},
        {"modinf": "27", "ports": "0", "modtype": "Virtual Supervisor Module", "model": "N9K-vSUP",
         "status": "active *"},
    ]  # fmt: skip
    text = "Mod Ports             Module-Type                      Model          Status\n"
    text += "--- ----- ------------------------------------- --------------------- ---------\n"
    for row in rows:
        widths = {"modinf": 4, "ports": 6, "modtype": 38, "model": 22, "status": 0}
        text += "".join(f"{row[key]:<{width}}" for key, width in widths.items()) + "\n"
    return Output(text, table("modinfo", rows))


def resources(switch: Switch) -> Output:
    """Memory as it is; the loads are made up."""
    total = switch.memory_kb
    used = total * 3 // 5
    status = "OK" if total >= _FULL_MEMORY_KB else "MINOR ALERT"
    data = {
        "load_avg_1min": "0.10", "load_avg_5min": "0.12", "load_avg_15min": "0.10",
        "processes_total": "600", "processes_running": "1", "cpu_state_user": "2.00",
        "cpu_state_kernel": "3.00", "cpu_state_idle": "95.00", "memory_usage_total": total,
        "memory_usage_used": used, "memory_usage_free": total - used,
        "current_memory_status": status,
    }  # fmt: skip
    text = f"""\
Load average:   1 minute: 0.10   5 minutes: 0.12   15 minutes: 0.10
Processes   :   600 total, 1 running
CPU states  :   2.00% user,   3.00% kernel,   95.00% idle
Memory usage:   {total}K total,   {used}K used,   {total - used}K free
Current memory status: {status}
"""
    return Output(text, data)


def vdc_running(switch: Switch) -> Output:
    """`show running-config vdc`, also part of the whole."""
    lines = [f"vdc {switch.hostname} id 1"]
    for name, least, most in _limits(switch):
        lines.append(f"  limit-resource {name} minimum {least} maximum {most}")
    return Output("\n".join(lines))


def vdc_resource(switch: Switch) -> Output:
    """`show vdc resource detail`."""
    text = ""
    for name, least, most in _limits(switch):
        text += (
            f"{name:<20} 0 used {least:>6} unused {most:>6} free {most:>6} avail {most:>6} total\n"
        )
        text += f"{'-' * len(name)}\n"
        for row in (("Vdc", "Min", "Max", "Used", "Unused", "Avail"), ("---",) * 6,
                    (switch.hostname, least, most, 0, least, most)):  # fmt: skip
            first, *others = (str(cell) for cell in row)
            text += f"  {first:<32} " + "".join(f"{cell:<9} " for cell in others) + "\n"
        text += "\n"
    return Output(text)


def _limits(switch: Switch) -> Iterator[tuple[str, int, int]]:
    """As configured, else the usual ones: with little memory fewer IPv4 routes."""
    vdc = next((block for _, block in switch.root.find(r"vdc .+")), Block())
    for name, least, most in _LIMITS:
        if name == "u4route-mem" and switch.memory_kb < _FULL_MEMORY_KB:
            least, most = 128, 128
        found = next(iter(vdc.find(rf"limit-resource {name} minimum (\d+) maximum (\d+)")), None)
        yield (name, int(found[0][1]), int(found[0][2])) if found else (name, least, most)


def running(switch: Switch) -> Output:
    """The configuration with its header, and ports that nobody configured."""
    with switch.lock:
        body = list(switch.root.text())
        named = set(switch.root.lines)
    now = time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime())
    head = ["", "!Command: show running-config", f"!Running configuration last done at: {now}",
            f"!Time: {now}", "", f"version {RELEASE} Bios:version  "]  # fmt: skip
    vdc = (
        []
        if any(line.startswith("vdc ") for line in named)
        else vdc_running(switch).text.splitlines()
    )
    ports = [f"interface Ethernet1/{n}" for n in range(1, len(switch.machine.macs))]
    bare = [line for port in ports if port not in named for line in ("", port)]
    return Output("\n".join([*head, *vdc, *body, *bare, ""]))


def overlay_running(switch: Switch) -> Output:
    """`show running-config nv overlay`."""
    lines = [
        line for line in ("feature nv overlay", "nv overlay evpn") if line in switch.root.lines
    ]
    nve = switch.root.at("interface nve1")
    return Output("\n".join([*lines, "", "interface nve1", *nve.text(2)] if nve else lines))


def tcam(switch: Switch) -> Output:
    """`show hardware access-list tcam region`: the region that ARP suppression needs."""
    size = switch.root.first(r"hardware access-list tcam region arp-ether (\d+).*") or "0"
    return Output(f"{'Ingress ARP-Ether ACL [arp-ether]':>46} size = {size:>4} \n")


def startup(switch: Switch) -> Output:
    """The saved configuration."""
    saved = switch.store.startup()
    if saved is None:
        return Output("No startup configuration")
    return Output(saved.replace("show running-config", "show startup-config"))


def interfaces(switch: Switch) -> Output:
    """`show interface brief`: mgmt0, the ports of the line card, loopbacks, SVIs, nve1."""
    rows = []
    if switch.has_card:
        rows += [_port(switch, n) for n in range(1, len(switch.machine.macs))]
    rows += [
        _logical(match[1], block)
        for match, block in switch.root.find(r"interface ((?:lo|Vl|nve)\S+)")
    ]
    mgmt = (switch.root.at("interface mgmt0") or Block()).first(r"ip address ([\d.]+)/.*")
    text = _title("Port   VRF          Status IP Address                              Speed    MTU")
    text += f"mgmt0  --           up     {mgmt or '--':<40}1000     1500\n"
    ports = [row for row in rows if row["interface"].startswith("Ethernet")]
    if ports:
        text += _title(
            "Ethernet      VLAN    Type Mode   Status  Reason                   Speed     Port"
        )
        for row in ports:
            text += f"{row['interface'].replace('Ethernet', 'Eth'):<14}{row['vlan']:<8}"
            text += f"{row['type']:<5}{row['portmode']:<7}{row['state']:<8}"
            text += f"{row['state_rsn_desc']:<25}{row['speed']:<10}{row['ratemode']}\n"
    others = [row for row in rows if row not in ports]
    if others:
        text += _title("Interface     Status     Description")
        text += "".join(
            f"{row['interface']:<14}{row['state']:<11}{row['desc']}\n" for row in others
        )
    first = {
        "interface": "mgmt0",
        "state": "up",
        "ip_addr": mgmt or "--",
        "speed": "1000",
        "mtu": "1500",
    }
    return Output(text, table("interface", [first, *rows]))


def _title(text: str) -> str:
    return f"\n{'-' * 80}\n{text}\n{'-' * 80}\n"


def _port(switch: Switch, card: int) -> dict[str, str]:
    block = switch.root.at(f"interface Ethernet1/{card}") or Block()
    up = is_up(switch, card)
    routed = "no switchport" in block.lines
    shut = "shutdown" in block.lines or (routed and "no shutdown" not in block.lines)
    return {
        "interface": f"Ethernet1/{card}",
        "vlan": "--" if routed else block.first(r"switchport access vlan (\d+)") or "1",
        "type": "eth",
        "portmode": "routed" if routed else block.first(r"switchport mode (\S+)") or "access",
        "state": "up" if up else "down",
        "state_rsn_desc": "none"
        if up
        else "Administratively down"
        if shut
        else "Link not connected",
        "speed": "1000(D)" if up else "auto(D)",
        "ratemode": "D",
        "portchan": block.first(r"channel-group (\d+).*") or "--",
    }


def _logical(name: str, block: Block) -> dict[str, str]:
    explicit = name.startswith(("Vlan", "nve"))
    up = "no shutdown" in block.lines if explicit else "shutdown" not in block.lines
    return {"interface": name, "state": "up" if up else "down",
            "desc": block.first(r"description (.+)") or "--"}  # fmt: skip
