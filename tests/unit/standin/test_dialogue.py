"""The player on a pseudo-terminal: a Nexus's dialogue from loader to reload."""

from __future__ import annotations

import json
from pathlib import Path

from harness.standin import DAY0, PASSWORD, leaf, playing

PROMPT = r"(?m)^leaf-1# $"
QUESTION = r"\(yes/skip/no\)\[no\]: $"
LOADER = r"loader > $"


def test_a_first_boot_takes_the_day0_medium_and_a_second_what_was_saved(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0) as line:
        said = line.expect(r"User Access Verification\n")
        order = (
            "Loader Version 5.00.9", "INIT: version 2.88 booting", "Installing CCTRL driver",
            "Sysconf checksum failed", "No BIOS Info found", "Loading system software",
            "INIT: Entering runlevel: 3", "initial VNIC deposit", "netstack: Registration",
            "%ASCII-CFG-2-CONF_CONTROL: System ready",
        )  # fmt: skip
        places = [said.find(text) for text in order]
        assert -1 not in places
        assert places == sorted(places)
        line.login()
        assert "NXOS variable = bootflash:/nxos.7.0.3.I7.4.bin" in line.run("show boot")
        assert "not NX-OS" in line.run("show version")
        line.run("configure terminal")
        line.run("interface Ethernet1/1")
        line.run("description from the console")
        line.run("end")
        saved = line.run("copy running-config startup-config")
        assert "[########################################] 100%" in saved
        assert saved.endswith("Copy complete.")
        line.send("reload")
        line.expect(r"This command will reboot the system. \(y/n\)\?  \[n\] $")
        line.send("y")
        line.expect("Loader Version")
        line.login()
        assert "from the console" in line.run("show running-config | include description")


def test_poap_and_the_password_dialogue(tmp_path: Path) -> None:
    with playing(tmp_path) as line:
        line.expect("Waiting for system online status before starting POAP")
        line.expect(QUESTION)
        line.send("")  # the default is to go on with POAP
        line.expect("Continuing with Power On Auto Provisioning")
        line.expect(r"POAP DHCP discover phase failed")
        line.expect(QUESTION)
        line.send("yes")
        line.expect("Disabling POAP")
        line.expect(r"enforce secure password standard \(yes/no\) \[y\]: $")
        line.send("")
        line.expect('Enter the password for "admin": $')
        line.send("short")
        line.expect(r"Wrong Password, Reason:\n\[Length should be at least 8 characters\]")
        line.expect('Enter the password for "admin": $')
        line.send(PASSWORD)
        line.expect('Confirm the password for "admin": $')
        line.send(PASSWORD)
        line.expect(r"basic configuration dialog \(yes/no\): $")
        line.send("no")
        line.expect("switch login: $")
        line.send("admin")
        line.expect("Password: $")
        line.send("wrong")
        line.expect("Login incorrect")
        line.login()
        assert line.run("show startup-config") == "No startup configuration"
    assert PASSWORD not in line.log.replace(f"login: {PASSWORD}", "")


def test_skip_leaves_an_administrator_without_password(tmp_path: Path) -> None:
    with playing(tmp_path) as line:
        line.expect(QUESTION)
        line.send("skip")
        line.expect("You have selected skip option")
        line.login(password="")
        assert "hostname" not in line.run("show running-config")


def test_a_medium_without_administrator_leads_to_the_dialogue(tmp_path: Path) -> None:
    with playing(tmp_path, "hostname leaf-1\n") as line:
        line.expect("There is no admin password in the bootstrap file")
        line.expect("System Admin Account Setup")


def test_without_a_saved_boot_variable_the_second_boot_stops_at_the_loader(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0) as line:
        line.expect("login: $")
    with playing(tmp_path) as line:
        line.expect(LOADER)
        line.send("dir")
        assert "nxos.7.0.3.I7.4.bin" in line.expect(LOADER)
        line.send("boot nxos bootflash:nxos.7.0.3.I7.4.bin")
        assert "Error 9: Unknown boot failure" in line.expect(LOADER)
        line.send("boot bootflash:nxos.9.3.4.bin")
        assert "Boot failed" in line.expect(LOADER)
        line.send("boot bootflash:nxos.7.0.3.I7.4.bin")
        line.expect("Image valid")
        line.login()  # nothing was saved: the medium is read again


def test_the_whole_configuration_comes_back_as_it_was_typed(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0 + leaf(1, 1)) as line:
        line.login()
        typed = (DAY0 + leaf(1, 1)).splitlines()
        running = line.run("show running-config").splitlines()
    assert not [text for text in line.log.splitlines() if text.startswith("%")]
    hidden = [text for text in typed if text not in running]
    assert hidden == [f"username admin password 0 {PASSWORD} role network-admin"]
    assert PASSWORD not in "".join(running)


def test_exec_and_configuration_mode(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0) as line:
        line.login()
        assert "% Invalid command at '^' marker." in line.run("frobnicate")
        assert "% Ambiguous command" in line.run("e")
        assert "% Incomplete command" in line.run("show nve")
        assert line.run("show version | include kB") == line.run("sh ver | i kB")
        line.send("conf t")
        line.expect(r"leaf-1\(config\)# $")
        for typed, prompt in (
            ("interface e1/1", "config-if"), ("router bgp 65000", "config-if"),
            ("feature bgp", "config"), ("nv overlay evpn", "config"),
            ("router bgp 65000", "config-router"), ("template peer X", "config-router-neighbor"),
            ("address-family l2vpn evpn", "config-router-neighbor-af"),
            ("neighbor 10.0.0.1", "config-router-neighbor"), ("exit", "config-router"),
        ):  # fmt: skip
            line.send(typed)
            said = line.expect(r"(?m)^leaf-1\((.+)\)# $")
            assert f"leaf-1({prompt})# " in said
            assert ("% Invalid" in said) == (prompt == "config-if" and typed.startswith("router"))
        line.send("\x1a")
        line.expect(PROMPT)


def test_json_as_nxos_has_it(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0 + leaf(1, 1)) as line:
        line.login()
        assert json.loads(line.run("show version | json"))["memory"] == 8155032
        vnis = json.loads(line.run("show nve vni | json"))["TABLE_nve_vni"]["ROW_nve_vni"]
        assert [(row["vni"], row["type"]) for row in vnis][-1] == ("50001", "L3 [TENANT-A]")
        summary = json.loads(line.run("show bgp l2vpn evpn summary | json"))
        family = summary["TABLE_vrf"]["ROW_vrf"]["TABLE_af"]["ROW_af"]["TABLE_saf"]["ROW_saf"]
        row = family["TABLE_neighbor"]["ROW_neighbor"]  # one: an object
        assert (row["neighborid"], row["state"], row["prefixreceived"]) == ("10.0.0.1", "Idle", "0")
        for empty in ("nve peers", "ip ospf neighbors", "l2route evpn mac all"):
            assert line.run(f"show {empty} | json") == ""


def test_ports_come_a_while_after_the_login(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0, scale=0.2) as line:
        line.login()
        assert "Eth1/1" not in line.run("show interface brief")
        assert "powered-up" in line.run("show module")
        while "Eth1/2" not in line.run("show interface brief"):
            assert line.quiet(0.2)
        assert "powered-up" not in line.run("show module")


def test_the_pager_stops_at_each_screen(tmp_path: Path) -> None:
    with playing(tmp_path, DAY0) as line:
        line.login()
        line.run("terminal length 10")
        line.send("show running-config")
        first = line.expect("--More--$")
        assert first.count("\n") == 10  # the command's echo and nine lines
        line.send("q")
        line.expect(PROMPT)
