"""Mutated images: never a traceback, never a hang, never pristine, never a byte changed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from labctl.errors import LabctlError
from labctl.images.digest import file_digest
from labctl.images.inspect import Subject, look
from labctl.model.image_name import parse_name
from labctl.model.inspection import Verdict
from labctl.model.known_image import KnownImage
from labctl.model.verdict import judge
from labctl.report.inspect import inspection_lines
from labctl.report.json import dump
from labctl.report.paint import Paint

CLUSTER = 65536
NAME = "nxosv-final.7.0.3.I7.4.qcow2"
MUTANTS = 200
LONGEST_SECONDS = 20.0

HEADER = range(112)
"""qcow2's fields to the end of version 3's; what follows are extensions and the backing name."""
EXTENSIONS = range(112, 640)
TABLES = ("header", "extensions", "L1", "L2", "refcount table", "refcounts", "snapshots")
BYTES = st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]) | st.integers(0, 255)
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(TABLES), st.integers(0, 511), st.binary(min_size=1, max_size=9))
    | st.tuples(st.sampled_from(TABLES), st.integers(0, 511), BYTES.map(lambda b: bytes([b]) * 8)),
    min_size=1,
    max_size=4,
)
CUTS = st.none() | st.integers(0, 400_000)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An overlay that holds data and two internal snapshots."""
    folder = tmp_path_factory.mktemp("whole")
    base, top = folder / "base.qcow2", folder / NAME
    commands: tuple[list[str | Path], ...] = (
        ["qemu-img", "create", "-q", "-f", "qcow2", base, "16M"],
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, top],
        ["qemu-io", "-c", "write -P 7 0 256k", top],
        ["qemu-img", "snapshot", "-c", "before", top],
        ["qemu-io", "-c", "write -P 9 64k 256k", top],
        ["qemu-img", "snapshot", "-c", "after", top],
    )
    for words in commands:
        subprocess.run(words, check=True, capture_output=True)
    return top


def places(raw: bytes) -> dict[str, int]:
    """Where each table begins in a healthy file."""
    l1 = int.from_bytes(raw[40:48], "big")
    refcounts = int.from_bytes(raw[48:56], "big")
    return {
        "header": HEADER.start,
        "extensions": EXTENSIONS.start,
        "L1": l1,
        "L2": int.from_bytes(raw[l1 : l1 + 8], "big") & 0x00FFFFFFFFFFFE00,
        "refcount table": refcounts,
        "refcounts": int.from_bytes(raw[refcounts : refcounts + 8], "big"),
        "snapshots": int.from_bytes(raw[64:72], "big"),
    }


def test_the_tables_lie_where_the_mutations_hit(whole: Path) -> None:
    found = places(whole.read_bytes())
    assert len(set(found.values())) == len(TABLES)
    assert all(start < whole.stat().st_size for start in found.values())


@settings(
    max_examples=MUTANTS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mutations=MUTATIONS, cut=CUTS)
def test_a_mutant_is_told_or_refused(
    whole: Path, mutations: list[tuple[str, int, bytes]], cut: int | None
) -> None:
    raw = bytearray(whole.read_bytes())
    starts = places(bytes(raw))
    for table, place, change in mutations:
        at = starts[table] + place % (len(HEADER) if table == "header" else 512)
        raw[at : at + len(change)] = change
    assume(cut is not None or bytes(raw) != whole.read_bytes())
    mutant = whole.with_name(f"mutant-{NAME}")
    mutant.write_bytes(raw[: len(raw) if cut is None else cut])
    before = file_digest(mutant)
    started = time.monotonic()
    # Published with this very size and name, and another MD5: only the digest can tell.
    digest = hashlib.md5(whole.read_bytes()).hexdigest()
    known = {NAME.lower(): KnownImage(NAME, mutant.stat().st_size, digest, "test")}
    try:
        done = judge(look(Subject(mutant, NAME, parse_name(NAME)), known))
    except LabctlError as error:
        event(type(error).__name__)
    else:
        event(done.verdict)
        assert done.verdict is not Verdict.PRISTINE
        assert done.reasons
        "\n".join(inspection_lines(done, Paint())).encode()
        json.loads(dump(done).encode())
    assert time.monotonic() - started < LONGEST_SECONDS
    assert file_digest(mutant) == before
