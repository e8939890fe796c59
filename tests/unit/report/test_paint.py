import pytest

from labctl.report.paint import Cell, Paint, clean, duration, size, table


def test_table_aligns_by_what_is_seen_not_by_colour_codes() -> None:
    lines = table(("a", "b"), [["x", Cell("long", "bad")], ["yyy", "z"]], Paint(enabled=True))
    plain = table(("a", "b"), [["x", Cell("long", "bad")], ["yyy", "z"]], Paint())
    assert plain == ["a    b", "x    long", "yyy  z"]
    assert lines[1] == "x    \x1b[31mlong\x1b[0m"


def test_table_ends_no_line_with_blanks() -> None:
    assert table(("a", "b"), [["x", ""]], Paint()) == ["a  b", "x"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3600, "1 h 0 min"),
        (47 * 3600, "47 h 0 min"),
        (50 * 3600, "2 d 2 h"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1536, "1.5 KiB"),
        (1 << 20, "1.0 MiB"),
        (19 << 29, "9.5 GiB"),
    ],
)
def test_size(number: int, words: str) -> None:
    assert size(number) == words


def test_clean_takes_terminal_codes_out_of_device_output() -> None:
    assert clean("ok\x1b]0;title\x07\r\t.") == "ok�]0;title��\t."
