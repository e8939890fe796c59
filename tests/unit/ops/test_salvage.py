"""Rescue from damaged files: what can be read is read, what can't is told, byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
from pathlib import Path

import pytest

from harness.disks import image, l2_table, overlay, poke, qemu_img, raw_of, write
from harness.site import Site
from labctl.cli.main import main
from labctl.errors import ExitCode, ImageError
from labctl.images.digest import content_digest
from labctl.images.store import ImageStore
from labctl.model.image import Provenance
from labctl.ops.salvage import salvage

CLUSTER = 65536


@pytest.fixture
def lost_nothing(tmp_path: Path) -> Path:
    """Three layers with data, zeros, a compressed cluster and a shorter bottom."""
    bottom = image(tmp_path / "bottom.qcow2", "48M")
    write(bottom, "write -P 1 0 8M", "write -c -P 2 16M 64k", "write -P 3 47M 1M")
    middle = overlay(tmp_path / "middle.qcow2", bottom)
    write(middle, "write -P 4 1M 64k", "write -z 2M 1M", "write -P 5 50M 4k")
    top = overlay(tmp_path / "top.qcow2", middle)
    write(top, "write -P 6 1M 4k", "write -P 7 63M 1M", "write -z 16M 64k")
    return top


def test_of_a_whole_chain_nothing_is_lost(site: Site, lost_nothing: Path, tmp_path: Path) -> None:
    found = salvage(site.home, str(lost_nothing), "rescued")
    assert (found.layers, found.lost, found.doubtful, found.losses) == (3, (), (), ())
    assert found.before is not None
    assert found.after.whole
    wanted = content_digest(lost_nothing, scratch=tmp_path / "scratch")
    assert found.image.content == wanted
    assert content_digest(found.image.path, scratch=tmp_path / "scratch") == wanted


@pytest.mark.parametrize("options", [["-o", "cluster_size=4k"], ["-o", "compat=0.10"], []])
def test_every_ordinary_form_is_read_as_qemu_reads_it(
    site: Site, tmp_path: Path, options: list[str]
) -> None:
    chance = random.Random(7)
    file = image(tmp_path / "a.qcow2", "64M", *options)
    commands = [
        f"write {'-c ' * (chance.random() < 0.3)}-P {chance.randrange(1, 255)} "
        f"{chance.randrange(900) * CLUSTER} {chance.choice([4, 64]) << 10 if i % 3 else 65536}"
        for i in range(60)
    ]
    write(file, *(command.replace("4096", "65536") for command in commands))
    found = salvage(site.home, str(file), "rescued")
    assert (found.lost, found.doubtful) == ((), ())
    assert found.image.content == content_digest(file, scratch=tmp_path / "scratch")


def test_a_packed_image_is_read(site: Site, tmp_path: Path) -> None:
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 20M")
    packed = tmp_path / "packed.qcow2"
    qemu_img("convert", "-c", "-f", "qcow2", "-O", "qcow2", file, packed)
    found = salvage(site.home, str(packed), "rescued")
    assert found.lost == ()
    assert found.image.content == content_digest(file, scratch=tmp_path / "scratch")


def test_broken_entries_lose_their_clusters_and_no_others(site: Site, tmp_path: Path) -> None:
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 2M")
    before = raw_of(file, tmp_path)
    table = l2_table(file)
    poke(file, table + 8 * 3, struct.pack(">Q", 1 << 63 | 0x7777_0000_0000))  # beyond the end
    poke(file, table + 8 * 5, struct.pack(">Q", 1 << 63 | 0x200))  # within a cluster
    poke(file, table + 8 * 6, struct.pack(">Q", table))  # the table itself
    poke(file, table + 8 * 9, struct.pack(">Q", 1 << 62 | 5 << 54 | 0x50000))  # not packed
    evidence = hashlib.sha256(file.read_bytes()).hexdigest()
    found = salvage(site.home, str(file), "rescued")
    broken = [3, 5, 6, 9]
    assert found.clusters_lost == 4
    assert found.lost == (
        (3 * CLUSTER, 4 * CLUSTER),
        (5 * CLUSTER, 7 * CLUSTER),
        (9 * CLUSTER, 10 * CLUSTER),
    )
    wanted = bytearray(before)
    for number in broken:
        wanted[number * CLUSTER : (number + 1) * CLUSTER] = bytes(CLUSTER)
    assert raw_of(found.image.path, tmp_path) == bytes(wanted)
    assert found.before is not None
    assert found.before.corruptions > 0
    assert (found.after.corruptions, found.after.errors) == (0, 0)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == evidence


def test_a_cluster_claimed_twice_is_doubtful(site: Site, tmp_path: Path) -> None:
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 1M")
    table = l2_table(file)
    with file.open("rb") as opened:
        opened.seek(table)
        first = opened.read(8)
    poke(file, table + 8 * 4, first)
    found = salvage(site.home, str(file), "rescued")
    assert found.doubtful == ((0, CLUSTER), (4 * CLUSTER, 5 * CLUSTER))
    assert found.losses[0].doubled == 1
    assert found.as_imported is None


def test_a_disk_changed_where_its_tables_do_not_tell_is_not_what_was_imported(
    site: Site, tmp_path: Path
) -> None:
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 1M")
    stored = ImageStore(site.home.images).add(file, "mine")
    stored.path.chmod(0o644)
    poke(stored.path, stored.size - 1, b"?")
    found = salvage(site.home, "mine", "rescued")
    assert (found.lost, found.as_imported) == ((), False)


def test_garbage_in_the_reference_counts_costs_nothing(site: Site, tmp_path: Path) -> None:
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 2M")
    before = raw_of(file, tmp_path)
    with file.open("rb") as opened:
        opened.seek(48)
        (refcounts,) = struct.unpack(">Q", opened.read(8))
    poke(file, refcounts, random.Random(1).randbytes(CLUSTER))
    found = salvage(site.home, str(file), "rescued")
    assert found.before is not None
    assert not found.before.whole
    assert found.lost == ()
    assert raw_of(found.image.path, tmp_path) == before


def test_a_file_cut_short_keeps_what_is_there(site: Site, tmp_path: Path) -> None:
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 8M")
    before = raw_of(file, tmp_path)
    os.truncate(file, file.stat().st_size // 2)
    found = salvage(site.home, str(file), "rescued")
    after = raw_of(found.image.path, tmp_path)
    assert found.bytes_lost == sum(1 for a, b in zip(before, after, strict=True) if a != b) > 0
    for start, end in found.lost:
        assert after[start:end] == bytes(end - start)
    assert len(found.losses) == 1


def test_a_lost_table_is_told_with_all_it_told_of(site: Site, tmp_path: Path) -> None:
    file = image(tmp_path / "a.qcow2", "1G")
    write(file, "write -P 9 0 1M", "write -P 8 600M 1M")
    with file.open("rb") as opened:
        opened.seek(40)
        (l1,) = struct.unpack(">Q", opened.read(8))
    poke(file, l1 + 8, struct.pack(">Q", 1 << 63 | 0x7777_0000_0000))
    found = salvage(site.home, str(file), "rescued")
    assert found.lost == ((512 << 20, 1 << 30),)
    assert found.losses[0].tables == 1


def test_what_an_upper_layer_wrote_again_is_not_lost(site: Site, tmp_path: Path) -> None:
    base = image(tmp_path / "base.qcow2")
    write(base, "write -P 9 0 1M")
    poke(base, l2_table(base) + 8 * 3, struct.pack(">Q", 1 << 63 | 0x7777_0000_0000))
    top = overlay(tmp_path / "top.qcow2", base)
    write(top, "write -P 4 128k 256k")
    found = salvage(site.home, str(top), "rescued")
    assert found.lost == ()
    assert found.clusters_lost == 1
    seen = raw_of(found.image.path, tmp_path)
    assert seen[2 * CLUSTER : 6 * CLUSTER] == bytes([4]) * 4 * CLUSTER
    assert seen[: 2 * CLUSTER] == bytes([9]) * 2 * CLUSTER


def test_a_chain_of_300_becomes_one_file(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "chain"
    folder.mkdir()
    base = image(folder / "0.qcow2")
    write(base, "write -P 255 0 1M")
    template = overlay(folder / "template.qcow2", Path("00000.qcow2"))
    head = template.read_bytes()
    place = head.index(b"00000.qcow2")
    base.rename(folder / "00000.qcow2")
    for number in range(1, 301):
        told = f"{number - 1:05}.qcow2".encode()
        layer = folder / f"{number:05}.qcow2"
        layer.write_bytes(head[:place] + told + head[place + len(told) :])
    for number in range(1, 301, 20):
        layer = folder / f"{number:05}.qcow2"
        qemu_img("rebase", "-u", "-f", "qcow2", "-b", "", layer)
        write(layer, f"write -P {number % 250 + 1} {number * CLUSTER} 64k")
        words = ["-F", "qcow2", "-b", f"{number - 1:05}.qcow2"]
        qemu_img("rebase", "-u", "-f", "qcow2", *words, layer)
    found = salvage(site.home, str(folder / "00300.qcow2"), "rescued")
    assert (found.layers, found.lost, found.before) == (301, (), None)
    assert found.after.whole
    seen = raw_of(found.image.path, tmp_path)
    for number in range(1, 301, 20):
        at = number * CLUSTER
        assert seen[at : at + CLUSTER] == bytes([number % 250 + 1]) * CLUSTER
    assert seen[:CLUSTER] == bytes([255]) * CLUSTER


def test_a_salvaged_image_is_never_pristine_again(site: Site, lost_nothing: Path) -> None:
    poke(lost_nothing, l2_table(lost_nothing), struct.pack(">Q", 1 << 63 | 0x7777_0000_0000))
    found = salvage(site.home, str(lost_nothing), "rescued")
    assert found.image.provenance is Provenance.SALVAGED
    store = ImageStore(site.home.images)
    packed = lost_nothing.with_name("packed.qcow2")
    qemu_img("convert", "-c", "-f", "qcow2", "-O", "qcow2", found.image.path, packed)
    store.manifest_path("rescued").rename(store.folder / "kept")
    assert store.add(packed, "again").provenance is Provenance.SALVAGED
    (store.folder / "kept").rename(store.manifest_path("rescued"))
    assert store.get("rescued") == found.image
    assert not list(site.home.images.glob("salvage*.part"))


def test_what_has_no_header_or_nothing_readable_is_refused(site: Site, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.qcow2"
    nothing.write_bytes(bytes(4096))
    with pytest.raises(ImageError, match="no qcow2 image"):
        salvage(site.home, str(nothing), "x")
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 64k")
    poke(file, l2_table(file), struct.pack(">Q", 1 << 63 | 0x7777_0000_0000))
    with pytest.raises(ImageError, match="nothing could be read"):
        salvage(site.home, str(file), "x")
    assert [known.name for known in ImageStore(site.home.images).list()] == ["frr"]


def test_the_command_tells_what_was_lost(
    by_command_line: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 1M")
    poke(file, l2_table(file) + 8, struct.pack(">Q", 1 << 63 | 0x7777_0000_0000))
    assert main(["image", "salvage", str(file), "--name", "new"]) == ExitCode.DONE
    told = capsys.readouterr().out
    assert "65536 bytes, 1 cluster:" in told
    assert f"bytes {CLUSTER} to {2 * CLUSTER - 1}" in told
    assert main(["image", "salvage", str(file), "-o", "newer", "--json"]) == ExitCode.DONE
    data = json.loads(capsys.readouterr().out)
    assert data["lost"] == [[CLUSTER, 2 * CLUSTER]]
    assert (data["bytes_lost"], data["clusters_lost"]) == (CLUSTER, 1)
    assert data["image"]["provenance"] == "salvaged"


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_broken_it_ends_with_a_result_or_an_image_error(
    site: Site, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    file = image(tmp_path / "a.qcow2")
    write(file, "write -P 9 0 1M", "write -c -P 3 2M 64k")
    places = [
        chance.randrange(8, 112),
        l2_table(file) + chance.randrange(512),
        chance.randrange(400000),
    ]
    for place in places[: chance.randrange(1, 4)]:
        poke(file, place, chance.randbytes(chance.randrange(1, 9)))
    try:
        found = salvage(site.home, str(file), "rescued")
    except ImageError:
        return
    assert found.after.whole
    assert found.before is not None
    unhurt = found.before.whole and not found.losses
    assert found.image.provenance is (Provenance.UNKNOWN if unhurt else Provenance.SALVAGED)
