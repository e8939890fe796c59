"""Shapes: what they read, what stands in for the rest, and what they tell editors."""

from __future__ import annotations

import pytest

from labctl.topology.document import Document
from labctl.topology.fields import NODE_NAME, VLAN
from labctl.topology.kinds import ListOf, MappingOf, Unusable, read_part
from labctl.topology.reader import parse
from labctl.topology.scalars import YES_OR_NO, between
from labctl.topology.shape import Shape, defaulted, optional, required


class Wheel(Shape):
    """A wheel."""

    size = required(between(1, 30), "Inches.")
    vlan = required(VLAN, "Its VLAN.", guess=7)


class Cart(Shape):
    """A cart."""

    count = defaulted(between(0, 4), "How many.", 2)
    wheels = optional(ListOf(Wheel), "The wheels.")
    pair = optional(ListOf(NODE_NAME, length=2, guess="nobody"), "Who pulls it.")
    by_name = optional(MappingOf(NODE_NAME, YES_OR_NO), "Who has it.")


def read(text: str) -> tuple[Cart, Document, list[str]]:
    document = parse(text, "f")
    cart, _ = read_part(Cart, document, (), document.root)
    return cart, document, [f"{p.line}:{p.column}: {p.message}" for p in sorted(document.problems)]


def test_what_the_file_gives_and_what_it_leaves_out() -> None:
    cart, _, told = read("wheels: [{size: 9, vlan: 12}]\nby_name: {a: true}\npair:")
    assert told == []
    assert (cart.count, cart.pair, cart.by_name) == (2, None, {"a": True})
    assert [wheel.values() for wheel in cart.wheels or ()] == [{"size": 9, "vlan": 12}]
    assert cart.gives("pair")
    assert not cart.gives("count")


def test_without_a_key_that_nobody_can_guess_the_whole_is_of_no_use() -> None:
    cart, document, told = read("wheels: [{vlan: 12}, {size: 9}, {size: big, vlan: 1}]")
    assert told == [
        "1:10: 'size' is missing",
        "1:22: 'vlan' is missing",
        "1:40: size: must be a whole number, not 'big'",
        "1:51: vlan: VLAN 1 is the switches' own and can't carry a tenant",
    ]
    assert [wheel.values() for wheel in cart.wheels or ()] == [{"size": 9, "vlan": 7}]
    assert document.is_guess(("wheels", 0, "vlan"))
    assert document.lost(("wheels", 2))


def test_a_shape_that_must_be_there_and_is_none_is_of_no_use() -> None:
    with pytest.raises(Unusable):
        read("[1, 2]")


def test_of_a_list_too_long_or_too_short_all_is_told() -> None:
    assert read("pair: [A, b, c]")[2] == [
        "1:7: pair: must have 2 entries or fewer",
        "1:8: 'A' is no safe name: up to 32 of a-z, 0-9 and '-', not starting or ending with '-'",
    ]
    assert read("pair: [a]")[2] == ["1:7: pair: must have 2 entries or more"]


def test_names_and_what_they_name_are_both_told_of() -> None:
    cart, document, told = read("by_name: {A_: 1, b: false}")
    assert [problem[:5] for problem in told] == ["1:11:", "1:15:"]
    assert cart.by_name == {"b": False}
    assert document.lost(("by_name", "A_"))


def test_a_misspelt_key_counts_as_the_one_that_was_meant_if_its_value_may() -> None:
    cart, _, told = read("cuont: 3\nwheel: 4")
    assert told == ["1:1: unknown key 'cuont'", "2:1: unknown key 'wheel'"]
    assert (cart.count, cart.wheels) == (3, None)


def test_editors_are_told_the_same() -> None:
    definitions: dict[str, dict[str, object]] = {}
    assert Wheel.schema(definitions) == {"$ref": "#/$defs/Wheel"}
    assert definitions["Wheel"] == {
        "type": "object",
        "description": "A wheel.",
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 30, "description": "Inches."},
            "vlan": {
                "type": "integer",
                "minimum": 2,
                "maximum": 3966,
                "description": "Its VLAN.",
            },
        },
        "required": ["size", "vlan"],
        "additionalProperties": False,
    }
    count = Cart.definition(definitions)["properties"]["count"]
    assert count["default"] == 2
