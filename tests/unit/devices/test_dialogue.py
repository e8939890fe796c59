"""Commands into guests and outputs out of them, through a real shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from labctl.devices import framing
from labctl.devices.agent import Batch
from labctl.devices.facts import DaemonDown
from labctl.devices.frr.device import EVPN_SUMMARY, EVPN_VNIS, NO_ANSWER, OSPF_NEIGHBORS, Frr
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


def run(batch: Batch, path: Path) -> str:
    done = subprocess.run(
        batch.argv,
        input=batch.input_text,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{path}:/usr/bin:/bin"},
    )
    return done.stdout


@pytest.fixture
def vtysh(tmp_path: Path) -> Path:
    program = tmp_path / "vtysh"
    program.write_text(VTYSH)
    program.chmod(0o755)
    return tmp_path


def test_outputs_come_back_by_command(vtysh: Path) -> None:
    commands = ["echo a; echo b >&2", "printf 'no newline'", EVPN_SUMMARY, EVPN_VNIS, "false"]
    assert Frr().unbatch(commands, run(Frr().batch(commands), vtysh)) == {
        "echo a; echo b >&2": "a\nb\n",
        "printf 'no newline'": "no newline",
        EVPN_SUMMARY: "{}",
        EVPN_VNIS: f"said {EVPN_VNIS}\n",
        "false": "",
    }


def test_what_a_failing_command_kept_from_running_runs_in_the_next_batch(vtysh: Path) -> None:
    left = [EVPN_VNIS, "show nonsense", OSPF_NEIGHBORS]
    first = Frr().unbatch(left, run(Frr().batch(left), vtysh))
    assert first == {
        EVPN_VNIS: f"said {EVPN_VNIS}\n",
        "show nonsense": "% Unknown command\n",
    }
    rest = [command for command in left if command not in first]
    second = Frr().unbatch(rest, run(Frr().batch(rest), vtysh))
    assert second == {OSPF_NEIGHBORS: f"said {OSPF_NEIGHBORS}\n"}


def test_a_vtysh_that_does_not_get_that_far_answers_for_all(tmp_path: Path) -> None:
    said = "Exiting: failed to connect to any daemons."
    (tmp_path / "vtysh").write_text(f"#!/bin/sh\necho '{said}'\nexit 1\n")
    (tmp_path / "vtysh").chmod(0o755)
    commands = [EVPN_SUMMARY, EVPN_VNIS]
    outputs = Frr().unbatch(commands, run(Frr().batch(commands), tmp_path))
    assert outputs == dict.fromkeys(commands, f"{said}\n")


def test_a_batch_that_was_cut_short_has_only_what_ended(vtysh: Path) -> None:
    commands = ["echo one", "echo two", EVPN_SUMMARY]
    output = run(Frr().batch(commands), vtysh)
    cut = output[: output.index("two")]
    assert Frr().unbatch(commands, cut) == {"echo one": "one\n"}
    assert Frr().unbatch(commands, "") == {}


def test_a_daemon_that_hangs_takes_no_other_output_with_it(
    vtysh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "_SCRIPT", framing._SCRIPT.replace("sleep 40", "sleep 1"))
    (vtysh / "vtysh").write_text(VTYSH.replace("echo '% Unknown command'; exit 1", "sleep 60"))
    commands = ["echo here", EVPN_VNIS, "show nonsense", OSPF_NEIGHBORS]
    outputs = Frr().unbatch(commands, run(Frr().batch(commands), vtysh))
    assert outputs == {
        "echo here": "here\n",
        EVPN_VNIS: f"said {EVPN_VNIS}\n",
        "show nonsense": NO_ANSWER,
        OSPF_NEIGHBORS: NO_ANSWER,
    }
    with pytest.raises(DaemonDown):
        ospf_neighbors(outputs[OSPF_NEIGHBORS])


def test_commands_can_not_break_out_of_the_batch(vtysh: Path) -> None:
    nasty = "show x'; echo owned #"
    batch = Frr().batch([nasty])
    assert "owned" not in "".join(batch.argv)
    assert Frr().unbatch([nasty], run(batch, vtysh)) == {nasty: f"said {nasty}\n"}
    with pytest.raises(ValueError) as refused:
        Linux().batch(["echo a\necho b"])
    assert "single line" in str(refused.value)


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
