"""`labctl image parse-name`: the table, the JSON keys, and exit code 5 with the way out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labctl.cli.main import main
from labctl.errors import ExitCode

KEYS = [
    "family",
    "product",
    "release",
    "train",
    "rebuild",
    "maintenance",
    "bits",
    "lite",
    "boot_image",
    "format",
    "parts",
]


def parsed(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["image", "parse-name", name, "--json"]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    data = parsed("nxosv-final.7.0.3.I7.4.qcow2", capsys)
    assert list(data) == KEYS
    parts = data.pop("parts")
    assert list(data.values()) == [
        "nxosv-final",
        "9000v",
        "7.0(3)I7(4)",
        "I7",
        4,
        3,
        32,
        False,
        "nxos.7.0.3.I7.4.bin",
        "qcow2",
    ]
    assert [part["text"] for part in parts] == ["nxosv-final", "7.0.3", "I7", "4", "qcow2"]
    assert all(list(part) == ["text", "kind", "meaning"] for part in parts)


def test_what_a_name_does_not_tell_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    data = parsed("nxosv9k-10.1.13", capsys)
    assert [key for key in KEYS if data[key] is None] == [
        "product",
        "train",
        "rebuild",
        "bits",
        "boot_image",
        "format",
    ]
    assert data["maintenance"] == 13


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "parse-name", "img/NXOSV-final.7.0.3.I2.2e.ova"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "img/NXOSV-final.7.0.3.I2.2e.ova",
        "  piece        what     meaning",
        "  img/         folder   where the image is; tells nothing of it",
    ]
    assert "  2e           rebuild  rebuild 2e of I2: the whole release is 7.0(3)I2(2e)" in lines
    end = lines.index("  a node on it:") - 1
    assert lines[end - 11 : end] == [
        "  family       nxosv-final",
        "  product      9000v",
        "  release      7.0(3)I2(2e)",
        "  train        I2",
        "  rebuild      2e",
        "  maintenance  3",
        "  bits         32",
        "  lite         no",
        "  boot image   nxos.7.0.3.I2.2e.bin",
        "  format       ova",
        "  published    no size or MD5 known",
    ]


def test_what_is_open_or_missing_is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "parse-name", "nxosv9k-10.1.1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line in (
        "  product      the name doesn't tell",
        "  train        none",
        "  rebuild      none",
        "  bits         the name doesn't tell",
        "  boot image   the name doesn't tell",
        "  format       none",
    ):
        assert line in lines


@pytest.mark.parametrize("name", ["nxosv-final.7.0.3.I7.4.qcow2", "x/NXOSV-FINAL.7.0.3.I7.4.QCOW2"])
def test_a_published_file_has_its_size_and_md5(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["image", "parse-name", name]) == 0
    published = (
        "  published    985792512 bytes, MD5 1e980c95ca47045ae45ded6e07fabfb8 (gns3-registry)"
    )
    assert published in capsys.readouterr().out.splitlines()


def node_facts(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What the text says of a node on an image of that name."""
    assert main(["image", "parse-name", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line[2:13].strip(): line[15:] for line in lines[lines.index("  a node on it:") + 1 :]}


def test_what_follows_for_a_node(capsys: pytest.CaptureFixture[str]) -> None:
    facts = node_facts("nxosv9k-7.0.3.I7.4", capsys)
    source = facts.pop("floor")
    assert source.startswith("8 GiB: ")
    assert "DevNetSandbox" in source
    assert facts == {
        "platform": "nxosv9k",
        "memory": "8 GiB by default",
        "vCPUs": "2",
        "ports": "64",
    }


def test_the_default_may_be_above_the_floor(capsys: pytest.CaptureFixture[str]) -> None:
    facts = node_facts("nexus9300v64.10.5.5.M.qcow2", capsys)
    assert (facts["memory"], facts["floor"][:8]) == ("12 GiB by default", "10 GiB: ")
    assert (facts["vCPUs"], facts["ports"]) == ("4", "64")


@pytest.mark.parametrize("name", ["nexus9500v64.10.5.5.M", "nxosv9k-9.3.9"])
def test_a_9500v_may_have_more_ports_for_more_memory(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert node_facts(name, capsys)["ports"] == (
        "64; a 9500v up to 128, and above 64 needs 16 GiB and 4 vCPUs"
    )


def test_the_nexus_7000_is_a_platform_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    facts = node_facts("titanium-final.7.3.0.D1.1.qcow2", capsys)
    assert (facts["platform"], facts["memory"], facts["ports"]) == (
        "titanium",
        "4 GiB by default",
        "31",
    )
    assert facts["floor"].startswith("2 GiB: COT")


@pytest.mark.parametrize(
    "name",
    [
        "nexus9300v.9.9.9",
        "nxosv9k-7.0.3.I99.4",
        "nexus9300v.11.1.1",
        "nexus9300v64-lite.11.1.1.F",
        "titanium-final.7.4.0.D1.1",
    ],
)
def test_a_release_that_labctl_does_not_know(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    facts = node_facts(name, capsys)
    assert facts["release"] == "not known to labctl: the strictest floor holds"
    assert facts["floor"].startswith("2 GiB: " if "titanium" in name else "10 GiB: ")


def test_a_boot_image_is_no_disk_image(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "parse-name", "nxos64-cs.10.3.3.F.bin"]) == ExitCode.IMAGE
    assert "is a boot image, which a Nexus keeps on its bootflash" in capsys.readouterr().err


def test_a_name_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "parse-name", "nxosv9k-7.0.3.X7.4"]) == ExitCode.IMAGE
    told = capsys.readouterr().err
    assert "'.X7.4' after nxosv9k-7.0.3 is not understood" in told
    for scheme in ("nxosv-final.7.0.3.I7.4.qcow2", "EVE-NG", "CML", "vrnetlab"):
        assert scheme in told
    assert "labctl image import --name" in told


def test_a_name_nobody_knows_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "parse-name", "--json", "iosv"]) == ExitCode.IMAGE
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["kind"], error["exit_code"]) == ("ImageError", 5)
    assert error["brief"] == "'iosv': 'iosv' begins with no family of Nexus images"
