"""Lines typed into the stand-in: where they go, what is refused, and that labctl's own all pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from standin.player import faults, passwords
from standin.player.config import Block, Editor, Refused, interface
from standin.player.shows.output import Output, piped, table

ROOT = Path(__file__).parents[3]
RENDERED = sorted(ROOT.glob("tests/golden/*/nodes/*/day0/nxos_config.txt"))
REFERENCES = sorted(ROOT.glob("tests/fixtures/nxos-reference/*1-ibgp*.cfg"))
FEATURES = (ROOT / "tests/fixtures/nxos-reference/leaf1-ibgp-i7.cfg").read_text()


def typed(text: str) -> Block:
    """A configuration typed line by line, as from a file."""
    editor = Editor(Block())
    for line in text.splitlines():
        if not line.startswith(" "):
            editor.home()
        if not line.startswith("echo "):
            editor.apply(line)
    return editor.root


@pytest.mark.parametrize("path", [*RENDERED, *REFERENCES], ids=lambda p: "-".join(p.parts[-4:]))
def test_no_line_of_a_whole_configuration_is_refused(path: Path) -> None:
    text = path.read_text()
    known = set(typed(text).text())
    kept = [line.strip() for line in text.splitlines() if line.strip()[:4] not in ("echo", "!")]
    assert len(known) > len(kept) // 2  # most lines stand as they are; some replace others


def test_there_is_something_to_try() -> None:
    assert len(RENDERED) > 5
    assert len(REFERENCES) == 2


@pytest.mark.parametrize(
    "text",
    [
        "router bgp 65000",  # no `feature bgp` yet
        "feature bgp\nrouter bgp 65000\n  template peer X\n    address-family l2vpn evpn",
        "interface Vlan10",
        "interface nve1",
        "vlan 10\n  vn-segment 10010",
        "evpn",
        "interface Ethernet1/1\n  ip address 10.0.0.0/31",  # a switchport yet
        "hostname x",
        "interface Ethernet1/1\n  nonsense",
    ],
)
def test_what_is_out_of_order_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        typed(text)


def test_a_vrf_takes_an_address_away() -> None:
    root = Block()
    editor = Editor(root)
    for line in ("feature interface-vlan", "interface Vlan10", "ip address 10.0.0.1/24"):
        editor.apply(line)
    with pytest.raises(Refused, match="Deleted all L3 config on interface Vlan10"):
        editor.apply("vrf member X")
    assert list(root.lines["interface Vlan10"].lines) == []


def test_lines_replace_and_remove_each_other() -> None:
    root = typed(
        "interface Ethernet1/1\n  no switchport\n  mtu 1500\n  mtu 9216\n  ip address 10.0.0.0/31\n"
        "  ip address 10.0.0.2/31\n  shutdown\n  no shutdown\n  description a\n  no description"
    )
    lines = list(root.lines["interface Ethernet1/1"].lines)
    assert lines == ["no switchport", "mtu 9216", "ip address 10.0.0.2/31", "no shutdown"]
    assert "interface Vlan10" not in typed(f"{FEATURES}\nno interface Vlan10\n").lines


@pytest.mark.parametrize(
    ("short", "full"),
    [("e1/1", "Ethernet1/1"), ("Eth 1/12.100", "Ethernet1/12.100"), ("lo0", "loopback0"),
     ("vlan 10", "Vlan10"), ("port-channel11", "port-channel11"), ("nve 1", "nve1"),
     ("mgmt0", "mgmt0"), ("what", "what")],
)  # fmt: skip
def test_interface_names(short: str, full: str) -> None:
    assert interface(short) == full


def test_passwords_are_hidden_and_judged() -> None:
    line = passwords.conceal("username admin password 0 Lab-pass-1 role network-admin")
    assert "Lab-pass-1" not in line
    assert passwords.conceal(line) == line
    hidden = passwords.stored([line], "admin")
    assert hidden is not None
    assert passwords.matches(hidden, "Lab-pass-1")
    assert not passwords.matches(hidden, "lab-pass-1")
    assert passwords.stored([line], "nobody") is None
    assert passwords.stored(["username admin role network-admin"], "admin") == ""
    assert passwords.weakness("abcdefgh")
    assert passwords.weakness("Lab-pass-1") is None


def test_faults_last_as_many_boots_as_they_say() -> None:
    text = "hostname x1\n! standin: fault panic 2\n!standin: fault poap\n"
    assert faults.in_force(text, 2) == {"panic", "poap"}
    assert faults.in_force(text, 3) == {"poap"}
    assert faults.in_force(faults.from_next("! standin: fault silence 1", 3), 4) == {"silence"}
    assert faults.in_force(faults.from_next("! standin: fault silence 1", 3), 5) == frozenset()
    with pytest.raises(ValueError, match="no such fault: pnaic"):
        faults.named("! standin: fault pnaic")


def test_tables_and_pipes() -> None:
    assert table("x", []) == {}
    assert table("x", [{"a": "1"}]) == {"TABLE_x": {"ROW_x": {"a": "1"}}}
    assert table("x", [{}, {}]) == {"TABLE_x": {"ROW_x": [{}, {}]}}
    output = Output("one\ntwo\nthree", {"a": 1})
    assert piped(output, ["json"]) == '{"a": 1}'
    assert piped(Output("", {}), ["json"]) == ""
    assert piped(Output("text"), ["json"]).startswith("ERROR")
    assert piped(output, ["include t", "exclude two"]) == "three"
    assert piped(output, ["begin two", "count"]) == "2"
