"""The YAML reader: YAML 1.2's plain values, places kept, hostile files refused."""

from __future__ import annotations

import pytest

from labctl.topology.reader import MAX_CHARACTERS, parse


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse(text, "f").problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("10:20", "10:20"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("2001-01-01", "2001-01-01"),
        (".inf", ".inf"),
        ("1e3", "1e3"),
        ("9" * 5000, "9" * 5000),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("-3", -3),
        ("1.5", 1.5),
        ("'5'", "5"),
        ('"true"', "true"),
        ("leaf-1:Ethernet1/47", "leaf-1:Ethernet1/47"),
    ],
)
def test_plain_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    document = parse(f"key: {text}\n", "f")
    assert document.problems == []
    assert document.root.plain() == {"key": value}


def test_a_key_that_yaml_1_1_takes_for_true_is_text() -> None:
    assert parse("on: [leaf-1]", "f").root.plain() == {"on": ["leaf-1"]}


def test_anchors_stand_for_what_they_name() -> None:
    text = "a: &x {b: 1}\nc: *x\n"
    assert parse(text, "f").root.plain() == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "f:3:1: key 'a' is given twice (first given in line 1)"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document; one file is one lab"),
        ("a: *x", "f:1:4: alias *x has no anchor before it"),
        ("a: &x [*x]", "f:1:8: alias *x has no anchor before it"),
        ("? [1]\n: 2", "f:1:3: a key must be plain text"),
        ("a: b\x00", "f:1:5: U+0000 is no character of a text"),
        ('a: "b\\0c"', "f:1:4: control character '\\x00' in a value"),
        ("a: \ud800", "f:1:4: U+D800 is no character of a text"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    ("text", "place"), [("a: b: c", "1:5"), ("a: 1\nb: [1,\n", "2:8"), ("a: 'b", "1:6")]
)
def test_a_syntax_error_has_a_place(text: str, place: str) -> None:
    (found,) = problems(text)
    assert found.startswith(f"f:{place}: not valid YAML: ")


@pytest.mark.parametrize("tag", ["!!python/object:os.system", "!!binary", "!mine", "!!str"])
def test_tags_make_nothing(tag: str) -> None:
    found = problems(f"a: {tag} x")
    assert len(found) == 1
    assert found[0].startswith("f:1:4: tag ")


def test_a_billion_laughs_is_refused_unexpanded() -> None:
    lines = ["a: &a [" + ",".join("1" * 10) + "]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [" + ",".join([f"*{before}"] * 10) + "]")
    found = problems("\n".join(lines))
    assert len(found) == 1
    assert "once aliases are expanded" in found[0]


def test_deep_nesting_is_refused() -> None:
    assert problems("[" * 500) == ["f:1:22: nested more than 20 levels deep"]


def test_a_huge_file_is_refused() -> None:
    assert problems("#" * (MAX_CHARACTERS + 1)) == ["f:1:1: the file is larger than 8 MiB"]


def test_places_count_characters_also_after_a_byte_order_mark_and_wide_ones() -> None:
    document = parse("\ufeffä: 'ü𝄞'\r\nb: {c: 1}\r\n", "f")
    document.report(("b", "c"), "value")
    document.report(("b", "c"), "key", key=True)
    document.report(("b", "nowhere"), "parent")
    places = [(problem.line, problem.column) for problem in document.problems]
    assert places == [(2, 8), (2, 5), (2, 4)]


def test_the_end_of_the_text_is_its_last_line() -> None:
    document = parse("a:\n", "f")
    document.report_index(3, "end")
    assert document.problems[0].line == 1
