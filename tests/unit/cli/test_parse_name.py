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
    assert lines[-11:] == [
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
    assert capsys.readouterr().out.splitlines()[-1] == (
        "  published    985792512 bytes, MD5 1e980c95ca47045ae45ded6e07fabfb8 (gns3-registry)"
    )


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
