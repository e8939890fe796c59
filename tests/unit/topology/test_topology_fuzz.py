"""Whatever the text, load() returns a lab or raises TopologyError with places inside the file."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.errors import TopologyError
from labctl.topology.load import load
from labctl.topology.platforms import load_platforms

EXAMPLES = [
    path.read_text() for path in sorted((Path(__file__).parents[3] / "topologies").glob("*.yaml"))
]
PLATFORMS = load_platforms()
LINES = sorted({line for text in EXAMPLES for line in text.splitlines()})
WORDS = sorted({word for text in EXAMPLES for word in re.findall(r"[\w.:/-]+", text)})
HOSTILE = ["", "-1", "0", "99999999999999999999", "[", "{", "*a", "&a", "!!x", "null", "true", "'"]


def check(text: str) -> None:
    try:
        load(text, source="f", platforms=PLATFORMS)
    except TopologyError as error:
        count = max(1, len(re.split(r"\r\n|\n|\r", text)))
        for problem in error.problems:
            assert 1 <= problem.line <= count, problem
            assert problem.column >= 1, problem
            assert problem.message


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(LINES), max_size=25).map("\n".join))
def test_lines_of_the_examples_shuffled(text: str) -> None:
    check(text)


@settings(deadline=None, max_examples=400)
@given(
    st.sampled_from(EXAMPLES),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(WORDS + HOSTILE)), max_size=4),
)
def test_words_of_the_examples_swapped(text: str, changes: list[tuple[float, str]]) -> None:
    for where, word in changes:
        spots = list(re.finditer(r"[\w.:/-]+", text))
        spot = spots[int(where * (len(spots) - 1))]
        text = text[: spot.start()] + word + text[spot.end() :]
    check(text)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(EXAMPLES), st.floats(0, 1), st.floats(0, 1), st.text(max_size=3))
def test_pieces_cut_out(text: str, start: float, end: float, instead: str) -> None:
    first, last = sorted((int(start * len(text)), int(end * len(text))))
    check(text[:first] + instead + text[last:])
