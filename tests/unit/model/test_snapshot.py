"""Manifests of snapshots as JSON and back."""

from __future__ import annotations

import json

import pytest

from labctl.model.snapshot import (
    Kind,
    Manifest,
    Part,
    PartFile,
    Power,
    from_json,
    latest_first,
    to_json,
)

PART = Part(
    node="leaf-1",
    domain="lab.leaf-1",
    power=Power.RUNNING,
    memory=256,
    vcpus=1,
    machine="pc-i440fx-7.2",
    spec="1" * 64,
    golden="2" * 64,
    files={"memory": PartFile(1000, "3" * 64), "disk.qcow2": PartFile(24, "4" * 64)},
)
MANIFEST = Manifest(
    lab="lab",
    name="before",
    kind=Kind.MANUAL,
    description='with "quotes"',
    created="2026-01-02T03:04:05+00:00",
    clock=1.5,
    parent="",
    with_memory=True,
    labctl="0",
    qemu="7.2.0",
    libvirt="9.0.0",
    uri="qemu:///system",
    running=("leaf-1",),
    complete=True,
    parts=(PART,),
)


def test_a_manifest_comes_back_as_it_was() -> None:
    assert from_json(to_json(MANIFEST)) == MANIFEST
    assert MANIFEST.size == 1024
    assert MANIFEST.part("leaf-1") is PART
    assert MANIFEST.part("leaf-2") is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", to_json(MANIFEST._replace(format=2)), '{"format": 1, "kind": "x"}'],
)
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


@pytest.mark.parametrize("key", sorted(Manifest._fields))
def test_each_field_without_a_default_is_needed(key: str) -> None:
    data = json.loads(to_json(MANIFEST))
    del data[key]
    if key in Manifest._field_defaults and key not in ("format", "parts"):
        assert from_json(json.dumps(data))
    else:
        with pytest.raises(ValueError):
            from_json(json.dumps(data))


def test_the_youngest_comes_first() -> None:
    older = MANIFEST._replace(clock=1.0, name="older")
    assert latest_first([older, MANIFEST]) == [MANIFEST, older]
