"""Which pings are run in a big lab, and what recorded ones are taken for."""

from __future__ import annotations

import pytest

from harness.intents import PLATFORMS, fabric_of, intent_of
from labctl.model.intent import Intent
from labctl.verify.checks import checks
from labctl.verify.evidence import Evidence
from labctl.verify.fabric import Fabric
from labctl.verify.model import Check, CheckKind, Status
from labctl.verify.pings import MOST_OF_A_KIND, heard, plan_pings

ANSWERED = "3 packets transmitted, 3 received, 0% packet loss, time 2003ms\n"
LOST = "3 packets transmitted, 0 received, 100% packet loss, time 2003ms\n"


def judged(intent: Intent, command: str, text: str, host: str = "host-1") -> list[Check]:
    evidence = Evidence.of({(host, command): text})
    report = checks(intent, evidence, PLATFORMS)
    return [
        check
        for check in report.checks
        if check.kind.name.startswith("PING") and check.status is not Status.NOT_CHECKED
    ]


def test_a_big_lab_gets_an_even_sample_that_is_always_the_same() -> None:
    text = "lab: big\nplatform: frr\nfabric:\n  spines: 2\n  leaves: 200\n  hosts_per_leaf: 2\n"
    text += "  vrfs: [{name: t, vni: 50001, networks: [{name: n, vlan: 10, vni: 10010, "
    text += "gateway: 10.0.0.1/16}]}]\n  addressing: {loopbacks: 172.16.0.0/16, "
    text += "vteps: 172.17.0.0/16}\n"
    intent = intent_of(text)
    pings = plan_pings(Fabric(intent, Evidence(), PLATFORMS))
    for kind in (CheckKind.PING_GATEWAY, CheckKind.PING_NETWORK):
        mine = [ping.host for ping in pings if ping.kind is kind]
        assert MOST_OF_A_KIND / 2 < len(mine) <= MOST_OF_A_KIND
        assert "host-1" in mine[0]
        assert int(mine[-1].removeprefix("host-")) > 390
    assert pings == plan_pings(Fabric(intent, Evidence(), PLATFORMS))


@pytest.mark.parametrize("options", ["", "-c 3 ", "-c 3 -W 1 ", "-n -q -c 1 "])
def test_the_options_of_a_recorded_ping_do_not_matter(options: str) -> None:
    (check,) = judged(fabric_of(), f"ping {options}10.10.10.12", ANSWERED)
    assert (check.kind, check.status) == (CheckKind.PING_NETWORK, Status.PASS)


def test_the_vrf_a_ping_goes_out_of_does_matter() -> None:
    (check,) = judged(fabric_of(), "ping -c 3 -I db 10.10.10.12", ANSWERED)
    assert check.kind is CheckKind.PING_VRF


@pytest.mark.parametrize(("text", "status"), [(ANSWERED, Status.PASS), (LOST, Status.FAIL)])
def test_a_recorded_ping_that_was_not_planned_counts_within_the_labs_networks(
    text: str, status: Status
) -> None:
    (check,) = judged(fabric_of(), "ping -c 3 10.10.10.99", text)
    assert (check.kind, check.status) == (CheckKind.PING_OTHER, status)
    assert judged(fabric_of(), "ping -c 3 192.0.2.1", LOST) == []


def test_a_lost_packet_is_no_lost_ping_and_a_refused_one_is() -> None:
    some = "2 packets transmitted, 1 received, 50% packet loss"
    assert judged(fabric_of(), "ping 10.10.10.1", some)[0].status is Status.PASS
    (refused,) = judged(fabric_of(), "ping 10.10.10.1", "ping: connect: Network is unreachable")
    assert refused.status is Status.FAIL
    assert "unreachable" in refused.seen


def test_only_hosts_that_spoke_to_or_through_their_gateway_count_as_heard() -> None:
    intent = fabric_of()

    def after(command: str, text: str) -> frozenset[str]:
        return heard(Fabric(intent, Evidence.of({("host-1", command): text}), PLATFORMS))

    assert after("ping 10.10.10.1", ANSWERED) == {"10.10.10.11"}
    assert after("ping 10.10.20.12", ANSWERED) == {"10.10.10.11"}
    assert after("ping -I db 10.10.20.1", ANSWERED) == {"10.10.20.11"}
    assert after("ping 10.10.10.12", ANSWERED) == frozenset()
    assert after("ping 10.10.10.1", LOST) == frozenset()
