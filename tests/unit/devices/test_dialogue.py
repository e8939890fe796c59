"""Commands into guests and outputs out of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from labctl.devices.agent import AgentDevice, Said
from labctl.devices.facts import DaemonDown
from labctl.devices.frr.daemons import no_answer
from labctl.devices.frr.device import EVPN_SUMMARY, EVPN_VNIS, OSPF_NEIGHBORS, Frr
from labctl.devices.frr.sessions import ospf_neighbors
from labctl.devices.linux.device import MEMORY_COMMAND, Linux
from labctl.devices.registry import agent_device_for
from labctl.errors import InternalError

VTYSH = """#!/bin/sh
# As vtysh -E: prompt and command before each output; ends at the first command that fails.
for word; do
  case $word in
    -c|-E) ;;
    *) printf 'leaf-1# %s\\n' "$word"
       case $word in
         *summary*) printf '{}' ;;
         *nonsense*) echo '% Unknown command'; exit 1 ;;
         *) echo "said $word" ;;
       esac ;;
  esac
done
"""


def run(device: AgentDevice, commands: Sequence[str], path: Path) -> dict[str, str]:
    """One round of `commands`, each plain program run here."""
    outputs: dict[str, str] = {}
    for program in device.programs(commands, plain=True):
        done = subprocess.run(
            program.argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={"PATH": f"{path}:/usr/bin:/bin"},
        )
        outputs |= device.outputs(program, Said(done.stdout))
    return outputs


@pytest.fixture
def vtysh(tmp_path: Path) -> Path:
    program = tmp_path / "vtysh"
    program.write_text(VTYSH)
    program.chmod(0o755)
    return tmp_path


def test_outputs_come_back_by_command(vtysh: Path) -> None:
    commands = ["echo 'a  b' $HOME", "ls /nowhere", "printf x", EVPN_SUMMARY, EVPN_VNIS, "false"]
    outputs = run(Frr(), commands, vtysh)
    assert "No such file" in outputs.pop("ls /nowhere")
    assert outputs == {
        "echo 'a  b' $HOME": "a  b $HOME\n",
        "printf x": "x",
        EVPN_SUMMARY: "{}",
        EVPN_VNIS: f"said {EVPN_VNIS}\n",
        "false": "",
    }


def test_vtysh_is_started_once() -> None:
    programs = Frr().programs([EVPN_SUMMARY, MEMORY_COMMAND, EVPN_VNIS], plain=True)
    assert [program.commands for program in programs] == [
        (MEMORY_COMMAND,),
        (EVPN_SUMMARY, EVPN_VNIS),
    ]


def test_what_a_failing_command_kept_from_running_runs_in_the_next_round(vtysh: Path) -> None:
    left = [EVPN_VNIS, "show nonsense", OSPF_NEIGHBORS]
    first = run(Frr(), left, vtysh)
    assert first == {
        EVPN_VNIS: f"said {EVPN_VNIS}\n",
        "show nonsense": "% Unknown command\n",
    }
    rest = [command for command in left if command not in first]
    assert run(Frr(), rest, vtysh) == {OSPF_NEIGHBORS: f"said {OSPF_NEIGHBORS}\n"}


def test_a_vtysh_that_does_not_get_that_far_answers_for_all(tmp_path: Path) -> None:
    said = "Exiting: failed to connect to any daemons."
    (tmp_path / "vtysh").write_text(f"#!/bin/sh\necho '{said}'\nexit 1\n")
    (tmp_path / "vtysh").chmod(0o755)
    commands = [EVPN_SUMMARY, EVPN_VNIS]
    assert run(Frr(), commands, tmp_path) == dict.fromkeys(commands, f"{said}\n")


def test_a_daemon_that_hangs_takes_no_other_output_with_it() -> None:
    commands = [EVPN_VNIS, "show nonsense", OSPF_NEIGHBORS]
    (program,) = Frr().programs(commands, plain=True)
    text = f"leaf-1# {EVPN_VNIS}\n{{}}\nleaf-1# show nonsense\n"
    outputs = Frr().outputs(program, Said(text, killed=True))
    assert outputs == {
        EVPN_VNIS: "{}\n",
        "show nonsense": no_answer(),
        OSPF_NEIGHBORS: no_answer(),
    }
    with pytest.raises(DaemonDown):
        ospf_neighbors(outputs[OSPF_NEIGHBORS])


def test_commands_can_not_break_out_of_their_program(vtysh: Path) -> None:
    nasty = "show x'; echo owned #"
    assert run(Frr(), [nasty], vtysh) == {nasty: f"said {nasty}\n"}
    assert run(Linux(), ["echo one; echo two"], vtysh) == {"echo one; echo two": "one; echo two\n"}


def test_single_commands_go_to_the_device_s_own_command_line() -> None:
    assert agent_device_for("frr").argv("show version") == ("vtysh", "-c", "show version")
    assert agent_device_for("linux").argv("ip addr") == ("bash", "-c", "ip addr")
    with pytest.raises(InternalError):
        agent_device_for("toaster")


def test_a_running_configuration_is_kept_as_it_can_be_fed_back() -> None:
    shown = (
        "Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\r\n"
        "hostname leaf-1\n!\nrouter bgp 65000\n exit-address-family\nexit\n!\nend\n"
    )
    assert Frr().clean_config(shown) == (
        "frr version 8.4.4\nhostname leaf-1\n!\nrouter bgp 65000\n exit-address-family\nexit\n!\n"
    )
    assert Frr().clean_config(Frr().clean_config(shown)) == Frr().clean_config(shown)


def test_the_memory_is_asked_of_every_kind_of_node() -> None:
    from harness.intents import fabric_of

    intent = fabric_of()
    routing = intent.lab.fabric.routing
    for name, device in (("spine-1", Frr()), ("leaf-1", Frr()), ("host-1", Linux())):
        assert MEMORY_COMMAND in device.verify_commands(intent.nodes[name], routing)
