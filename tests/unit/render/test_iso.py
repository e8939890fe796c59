"""The day-0 medium, read back by a library that had no part in writing it."""

from __future__ import annotations

import io
import shutil
import string
from pathlib import Path

import pycdlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.samples import sample, site
from labctl import process
from labctl.render.day0 import day0, iso_bytes
from labctl.render.iso import build
from labctl.topology.platforms import load_platforms

NAME = st.text(string.ascii_lowercase, min_size=1, max_size=8)


def read(image: bytes) -> tuple[str, dict[str, bytes]]:
    """Volume label and files, by their Rock Ridge names."""
    iso = pycdlib.PyCdlib()
    iso.open_fp(io.BytesIO(image))
    files = {}
    for child in iso.list_children(rr_path="/"):
        name = child.rock_ridge.name().decode()
        if not child.is_dir():
            content = io.BytesIO()
            iso.get_file_from_iso_fp(content, rr_path=f"/{name}")
            files[name] = content.getvalue()
    label = iso.pvd.volume_identifier.decode().rstrip()
    iso.close()
    return label, files


@given(st.dictionaries(NAME, st.binary(max_size=5000), max_size=8))
def test_round_trip(files: dict[str, bytes]) -> None:
    assert read(build("LABEL", files)) == ("LABEL", files)


def test_day0_of_a_node() -> None:
    intent = sample()
    files = day0(intent.nodes["leaf-1"], intent.lab.fabric, load_platforms()["frr"], site())
    label, found = read(iso_bytes(files))
    assert label == "LABCTL"
    assert {name: content.decode() for name, content in found.items()} == files.files
    assert found["instance"].decode() == f"{files.digest}\n"
    assert set(found) == {
        "hostname", "hosts", "ifnames", "sysctl.conf", "ip.batch", "bridge.batch", "frr.conf",
        "daemons", "instance",
    }  # fmt: skip


def test_same_files_same_bytes_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build("LABEL", {"a": b"1", "b": b"2"})
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    assert build("LABEL", {"b": b"2", "a": b"1"}) == first


def test_whole_sectors() -> None:
    image = build("LABEL", {"a": bytes(2048), "b": b"", "c": bytes(2049)})
    assert len(image) % 2048 == 0
    assert len(image) == (21 + 1 + 0 + 2) * 2048


def test_names_that_clash_are_refused() -> None:
    with pytest.raises(ValueError) as caught:
        build("LABEL", {"a.b": b"", "A.B": b""})
    assert "upper-cased" in str(caught.value)


def test_too_many_names_are_refused() -> None:
    with pytest.raises(ValueError) as caught:
        build("LABEL", {f"file{number}": b"" for number in range(100)})
    assert "directory sector" in str(caught.value)


def test_a_nexus_finds_its_configuration_by_either_name() -> None:
    """The plain name needs ISO level 2; at level 1 mkisofs makes it NXOS_CON.TXT (measured)."""
    image = build("LABCTL", {"nxos_config.txt": b"hostname leaf-1\n"})
    iso = pycdlib.PyCdlib()
    iso.open_fp(io.BytesIO(image))
    [entry] = [child for child in iso.list_children(iso_path="/") if not child.is_dir()]
    assert entry.file_identifier() == b"NXOS_CONFIG.TXT;1"
    content = io.BytesIO()
    iso.get_file_from_iso_fp(content, iso_path="/NXOS_CONFIG.TXT;1")
    iso.close()
    assert content.getvalue() == b"hostname leaf-1\n"
    assert read(image) == ("LABCTL", {"nxos_config.txt": b"hostname leaf-1\n"})


@pytest.mark.skipif(shutil.which("isoinfo") is None, reason="no isoinfo (package genisoimage)")
def test_isoinfo_sees_both_names(tmp_path: Path) -> None:
    path = tmp_path / "day0.iso"
    path.write_bytes(build("LABCTL", {"nxos_config.txt": b"x"}))
    plain = process.run(["isoinfo", "-f", "-i", path], deadline=30).stdout
    assert plain.split() == ["/NXOS_CONFIG.TXT;1"]
    rock_ridge = process.run(["isoinfo", "-f", "-R", "-i", path], deadline=30).stdout
    assert rock_ridge.split() == ["/nxos_config.txt"]
