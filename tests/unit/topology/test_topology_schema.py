"""The JSON Schema says what load() says of a file's shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from labctl.errors import TopologyError
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms
from labctl.topology.reader import parse
from labctl.topology.schema import json_schema

EXAMPLES = sorted((Path(__file__).parents[3] / "topologies").glob("*.yaml"))
PLATFORMS = load_platforms()
VALIDATOR = Draft202012Validator(json_schema())


def schema_accepts(text: str) -> bool:
    return bool(VALIDATOR.is_valid(parse(text, "f").root.plain()))


def load_accepts(text: str) -> bool:
    try:
        load(text, source="f", platforms=PLATFORMS)
    except TopologyError:
        return False
    return True


def test_the_schema_is_valid_itself() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_loads_and_fits_the_schema(path: Path) -> None:
    text = path.read_text()
    assert list(VALIDATOR.iter_errors(parse(text, "f").root.plain())) == []
    assert load(text, source=path.name, platforms=PLATFORMS).name == path.stem


def properties(schema: dict[str, Any]) -> dict[str, Any]:
    shapes = {"top": schema, **schema["$defs"]}
    return {
        f"{shape}.{name}": field
        for shape, fields in shapes.items()
        for name, field in fields["properties"].items()
    }


def test_every_key_is_explained() -> None:
    schema = json_schema()
    for name, field in properties(schema).items():
        described = field.get("description")
        if "$ref" in field:
            described = schema["$defs"][field["$ref"].rpartition("/")[2]]["description"]
        assert described, name


TEMPLATE = "lab: x\nfabric: {{spines: 1, leaves: 2}}\n{}\n"
GOOD = [
    "management: false",
    "management: true",
    "management: {subnet: 192.168.9.0/24}",
    "management: {}",
    "host: {kvm: true, memory_overcommit: 2, vcpu_overcommit: 0.5}",
    "host: {kvm: }",
    "host: {image_check_age: 12 hours}",
    "nodes:",
    "links:",
    "nodes: {leaf-1: }",
    "nodes: {leaf-1: {memory: 1.5 GiB, vcpus: 4, image: other, hypervisor: host2}}",
    "nodes: {leaf-1: {memory: 512MiB, hypervisor: 'qemu+ssh://root@h2/system?x=1'}}",
    "nodes: {leaf-1: {loopback: 10.0.0.200, vtep: 1.2.3.4}}",
    "nodes: {leaf-1: {config: 'x'}}",
    "links: [[leaf-1:eth9, leaf-2:eth9]]",
    "image: frr-12.1_x",
    "snapshots: {keep_last: 10, keep_daily: 7, max_age: 1 day, max_size: 1.5 GiB}",
    "snapshots: {protect: [golden-state, v1.2], keep_last: }",
]
BAD = [
    "management: yes",
    "management: {subnet: 192.168.9.0}",
    "management: {net: 192.168.9.0/24}",
    "host: {kvm: 1}",
    "host: {memory_overcommit: 0}",
    "host: {image_check_age: 7}",
    "host: {vcpu_overcommit: 65}",
    "host: []",
    "nodes: []",
    "nodes: {Leaf: {role: leaf}}",
    "nodes: {leaf-1: {memory: 512}}",
    "nodes: {leaf-1: {memory: 512 MB}}",
    "nodes: {leaf-1: {vcpus: 0}}",
    "nodes: {leaf-1: {vcpus: 1.5}}",
    "nodes: {leaf-1: {role: server}}",
    "nodes: {leaf-1: {image: a/b}}",
    "nodes: {leaf-1: {hypervisor: 'a b'}}",
    "nodes: {leaf-1: {loopback: 10.0.0.256}}",
    "nodes: {leaf-1: {asn: 0}}",
    "nodes: {leaf-1: {asn: 65535}}",
    "nodes: {leaf-1: {config: {}}}",
    "nodes: {leaf-1: {config: [x]}}",
    "links: [[leaf-1:eth9]]",
    "links: [[leaf-1:eth9, leaf-2:eth9, leaf-2:eth8]]",
    "links: [[leaf-1, leaf-2]]",
    "links: [['leaf-1:', leaf-2:eth1]]",
    "snapshots: {keep_last: 0}",
    "snapshots: {max_age: 30}",
    "snapshots: {max_size: 20 GB}",
    "snapshots: {protect: golden-state}",
    "snapshots: {protect: [.hidden]}",
    "image: ''",
    "image: 5",
    "vrfs: []",
]


@pytest.mark.parametrize("line", GOOD)
def test_both_accept(line: str) -> None:
    text = TEMPLATE.format(line)
    assert schema_accepts(text)
    assert load_accepts(text)


@pytest.mark.parametrize("line", BAD)
def test_both_refuse(line: str) -> None:
    text = TEMPLATE.format(line)
    assert not schema_accepts(text)
    assert not load_accepts(text)


TENANT = (
    "lab: x\nfabric:\n  spines: 1\n  leaves: 1\n  vrfs:\n  - name: {}\n    vni: {}\n"
    "    networks: [{{name: {}, vlan: {}, vni: {}, gateway: {}}}]\n"
)


@pytest.mark.parametrize(
    ("values", "good"),
    [
        (("TENANT-A", 50001, "web", 10, 10010, "10.1.1.1/24"), True),
        (("t_1", 1, "Web_2", 2, 16777214, "10.1.1.1/8"), True),
        (("t", 1, "w", 3966, 2, "10.1.1.1/30"), True),
        (("1t", 1, "w", 10, 2, "10.1.1.1/24"), False),
        (("t", 0, "w", 10, 2, "10.1.1.1/24"), False),
        (("t", 1, "w.x", 10, 2, "10.1.1.1/24"), False),
        (("t", 1, "w", 1, 2, "10.1.1.1/24"), False),
        (("t", 1, "w", 3967, 2, "10.1.1.1/24"), False),
        (("t", 1, "w", 10, 16777215, "10.1.1.1/24"), False),
        (("t", 1, "w", 10, 2, "10.1.1.1"), False),
        (("t", 1, "w", 10, 2, "10.1.1.1/33"), False),
        (("t", 1, "w", 10, 2, "010.1.1.1/24"), False),
    ],
)
def test_both_agree_on_tenants(values: tuple[object, ...], good: bool) -> None:
    text = TENANT.format(*values)
    assert schema_accepts(text) is good
    assert load_accepts(text) is good
