"""Nexus configurations of vPC pairs, and of the hosts on both of their halves."""

from __future__ import annotations

from harness.nexus_labs import config, files, intent_of, lab, section


def test_vpc_pair() -> None:
    intent = intent_of(lab(vpc=True))
    one, other = config(intent, "leaf-1"), config(intent, "leaf-2")
    assert "peer-keepalive destination 198.18.7.7 source 198.18.7.3 vrf management" in one
    assert "peer-keepalive destination 198.18.7.3 source 198.18.7.7 vrf management" in other
    for text in (one, other):
        assert "ip address 10.0.2.11/32 secondary" in section(text, "interface loopback1")
        assert section(text, "interface Ethernet1/3")[-2:] == [
            "channel-group 1 mode active",
            "no shutdown",
        ]
        assert "advertise-pip" in text
        assert "advertise virtual-rmac" in section(text, "interface nve1")
    assert "ip address 10.9.248.1/30" in section(one, "interface Vlan3950")
    assert "ip address 10.9.248.2/30" in section(other, "interface Vlan3950")
    single = config(intent, "leaf-3")
    assert "vpc" not in single
    assert "secondary" not in single


def test_the_peer_link_carries_what_the_backup_vlan_does() -> None:
    """On a Nexus a packet larger than a switched port's MTU is dropped; 1500 is the default."""
    text = config(intent_of(lab(vpc=True)), "leaf-1")
    assert "mtu 9216" in section(text, "interface Vlan3950")
    assert "mtu 9216" in section(text, "interface port-channel1")
    for port in ("Ethernet1/3", "Ethernet1/4"):
        member = section(text, f"interface {port}")
        assert member.index("mtu 9216") < member.index("channel-group 1 mode active")
    assert not any(line.startswith("mtu") for line in section(text, "interface Ethernet1/5"))


def test_a_pair_survives_the_reload_of_a_half() -> None:
    domain = section(config(intent_of(lab(vpc=True)), "leaf-1"), "vpc domain 1")
    assert {"delay restore 150", "auto-recovery"} <= set(domain)


def test_keepalive_without_a_management_network_is_between_loopbacks() -> None:
    text = config(intent_of(lab(vpc=True)), "leaf-1", management="user")
    assert "peer-keepalive destination 10.0.0.12 source 10.0.0.11 vrf default" in text


def test_ebgp_pair_backs_its_underlay_up_over_the_peer_link() -> None:
    text = config(intent_of(lab(vpc=True, routing="ebgp", links="numbered")), "leaf-1")
    assert section(text, "  neighbor 10.9.248.2") == ["inherit peer PEER-UNDERLAY"]
    assert section(text, "  template peer PEER-UNDERLAY") == [
        "remote-as 65012",
        "address-family ipv4 unicast",
    ]
    assert "network 10.0.2.11/32" in text
    assert "bestpath as-path multipath-relax" in text


def test_a_host_of_two_links_gets_a_port_channel_and_bonds() -> None:
    more = "links: [[host-1:eth2, leaf-2:Ethernet1/9]]"
    intent = intent_of(lab(vpc=True, more=more))
    assert section(config(intent, "leaf-1"), "interface port-channel105")[-2:] == [
        "vpc 105",
        "no shutdown",
    ]
    assert "channel-group 105 mode active" in section(
        config(intent, "leaf-2"), "interface Ethernet1/9"
    )
    batch = files(intent, "host-1")["ip.batch"].splitlines()
    assert "link add name bond0 type bond mode 802.3ad miimon 100 lacp_rate fast" in batch
    assert batch.index("link set dev eth2 master bond0") < batch.index("link set dev bond0 up")
    assert [leg.port for leg in intent.nodes["host-1"].legs] == ["bond0", "bond0"]
