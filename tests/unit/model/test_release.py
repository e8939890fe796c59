"""Releases: Cisco's form, the dotted form, which is newer, what a line of releases holds."""

from __future__ import annotations

import pytest

from labctl.model.release import Release, parse_release

FORMS = {
    "7.0(3)I7(4)": "7.0.3.I7.4",
    "7.0(3)I2(2e)": "7.0.3.I2.2e",
    "7.3(0)D1(1)": "7.3.0.D1.1",
    "9.3(13)": "9.3.13",
    "10.5(5)M": "10.5.5.M",
}


@pytest.mark.parametrize(("cisco", "dotted"), FORMS.items())
def test_both_forms(cisco: str, dotted: str) -> None:
    release = parse_release(cisco)
    assert str(release) == cisco
    assert release.dotted == dotted


def test_which_is_newer() -> None:
    ordered = ["7.0(3)I2(1)", "7.0(3)I7(4)", "7.0(3)I7(10)", "9.2(4)", "9.3(3)", "10.1(1)"]
    releases = [parse_release(text) for text in ordered]
    shuffled = [*releases[3:], *releases[:3]]
    assert sorted(shuffled) == releases
    assert releases[1] > releases[0]
    assert releases[1] >= releases[1]


@pytest.mark.parametrize(
    ("text", "first", "last", "within"),
    [
        ("7.0(3)I7(10)", "7.0(3)I2", "7.0(3)I7", True),
        ("7.0(3)I8(1)", "7.0(3)I2", "7.0(3)I7", False),
        ("9.3(1)", "9.2", "9.3(1)", True),
        ("9.3(3)", "9.2", "9.3(1)", False),
        ("10.5(5)M", "10.2", "10.6", True),
        ("10.6(2)F", "10.2", "10.6", True),
        ("10.7(1)F", "10.2", "10.6", False),
        ("7.0(3)I7(4)", "7.0(3)I7(4)", "7.0(3)I7(4)", True),
        ("7.0(3)I7(5)", None, "7.0(3)I7(4)", False),
    ],
)
def test_lines_of_releases(text: str, first: str | None, last: str | None, within: bool) -> None:
    begin, end = (parse_release(word) if word else None for word in (first, last))
    assert parse_release(text).within(begin, end) is within


@pytest.mark.parametrize("text", ["", "10", "9.3.13", "7.0(3)X7(4)", "9.3(13) ", "9.3(13)I"])
def test_what_is_no_release(text: str) -> None:
    with pytest.raises(ValueError, match="no NX-OS release"):
        parse_release(text)


def test_the_kind_does_not_order() -> None:
    """`show version` leaves it out."""
    assert not parse_release("10.4(5)M") < Release(10, 4, 5)
    assert not Release(10, 4, 5) < parse_release("10.4(5)M")
