"""Did you mean ...? The nearest of the words that would have been right."""

from __future__ import annotations

from collections.abc import Iterable

_FEW = 8
"""Show all choices when there are no more than this."""


def suggest(word: str, choices: Iterable[str]) -> str:
    """A hint naming the choice nearest to `word`, or all when they are few, or nothing."""
    from difflib import get_close_matches  # slow to load, and needed only for what is wrong

    words = list(choices)
    near = get_close_matches(word, words, n=1, cutoff=0.6)
    folded = [choice for choice in words if choice.casefold() == word.casefold()]
    if found := folded or near:
        return f"did you mean {found[0]!r}?"
    if 0 < len(words) <= _FEW:
        return "one of: " + ", ".join(words)
    return ""
