"""Labs that are there and labs that aren't, and nodes in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.site import LAB, Site, pair
from labctl.cli.main import main
from labctl.errors import ConsoleBusy, ExitCode, UsageError
from labctl.images.qemu_img import create_overlay
from labctl.model.paths import Home
from labctl.ops.belongings import domains_of
from labctl.ops.console import open_console
from labctl.ops.context import Context
from labctl.ops.status import status

NODES = ("host-10", "host-9", "edge", "host-1")


def test_nodes_are_in_natural_order(site: Site) -> None:
    site.write(pair(*NODES))
    site.up(paused=True)
    expected = ["edge", "host-1", "host-9", "host-10"]
    assert list(domains_of(LAB, site.fake.domains())) == expected
    (lab,) = status(site.context)
    assert [node.node for node in lab.nodes] == expected


def test_status_of_a_name_that_is_no_lab(site: Site) -> None:
    site.write(pair("a", "b"))
    site.up(paused=True)
    with pytest.raises(UsageError) as caught:
        status(site.context, "piar")
    error = caught.value
    assert error.exit_code is ExitCode.USAGE
    assert "no lab 'piar'" in error.brief
    assert error.details == "labs here: pair"
    assert "did you mean pair?" in error.resolution


def test_status_of_a_file_that_was_never_upped_is_no_error(site: Site) -> None:
    site.write(pair("a", "b"))
    (lab,) = status(site.context, str(site.file))
    assert (lab.lab, lab.nodes) == (LAB, ())


def test_status_of_a_lab_of_another_home_does_not_miss_its_files(
    site: Site, tmp_path: Path
) -> None:
    site.write(pair("a", "b"))
    site.up()
    other = Home(tmp_path / "other")
    (lab,) = status(Context(other, None, site.connect))
    assert lab.home == str(site.home.folder)
    assert [(node.state, node.phase, node.problems) for node in lab.nodes] == [
        ("running", "", ())
    ] * 2
    (lab,) = status(site.context)
    assert (lab.home, lab.nodes[0].phase, lab.nodes[0].chain_depth) == ("", "ready", 1)


def test_status_counts_the_layers_that_others_put_on_top(site: Site) -> None:
    """The machine runs on another file than the overlay then, and is defined on it too."""
    site.write(pair("a", "b"))
    site.up()
    overlay = site.home.lab(LAB).node("a").overlay
    top = overlay.with_name("disk.s1")
    create_overlay(overlay, top, 1024**2)
    xml = site.fake.xml(f"{LAB}.a")
    site.fake.destroy(f"{LAB}.a")
    site.fake.define(xml.replace(str(overlay), str(top)))
    (lab,) = status(site.context)
    assert [node.chain_depth for node in lab.nodes] == [2, 1]
    assert "its disk stands on 2 layers" in lab.nodes[0].problems[0]
    site.fake.start(f"{LAB}.a")
    (lab,) = status(site.context)
    assert [(node.state, node.chain_depth) for node in lab.nodes] == [
        ("running", 2),
        ("running", 1),
    ]


def test_status_knows_its_home_by_another_name(site: Site, tmp_path: Path) -> None:
    site.write(pair("a", "b"))
    site.up()
    (tmp_path / "link").symlink_to(site.home.folder)
    (lab,) = status(Context(Home(tmp_path / "link"), None, site.connect))
    assert (lab.home, lab.nodes[0].phase) == ("", "ready")


def test_a_busy_console_says_how_to_take_it(site: Site) -> None:
    site.write(pair("a", "b"))
    site.up()
    site.fake.faults.at("open_console", _busy)
    with pytest.raises(ConsoleBusy) as caught:
        open_console(site.context, LAB, "a")
    assert f"labctl console {LAB} a --force" in caught.value.resolution


def _busy() -> None:
    raise ConsoleBusy("somebody else is attached")


def test_console_of_no_such_node_says_so_even_without_a_terminal(
    by_command_line: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    by_command_line.write(pair("a", "b"))
    by_command_line.up()
    assert main(["console", LAB, "nope"]) == ExitCode.USAGE
    assert "no node 'nope'" in capsys.readouterr().err
