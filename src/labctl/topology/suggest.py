"""Did you mean ...? The nearest of the words that would have been right."""

from __future__ import annotations

from collections.abc import Collection, Iterable

_FEW = 8
"""Show all choices when there are no more than this."""


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that `word` is most likely a misspelling of, if any is near enough."""
    from difflib import get_close_matches  # slow to load, and needed only for what is wrong

    words = list(choices)
    folded = [choice for choice in words if choice.casefold() == word.casefold()]
    found = folded or get_close_matches(word, words, n=1, cutoff=0.6)
    return found[0] if found else None


def suggest(word: str, choices: Iterable[str]) -> str:
    """A hint naming the choice nearest to `word`, or all when they are few, or nothing."""
    words = list(choices)
    return hint_at(nearest(word, words), words)


def hint_at(found: str | None, choices: Collection[str]) -> str:
    """The hint at what was found, or at all choices when they are few."""
    if found:
        return f"did you mean {found!r}?"
    if 0 < len(choices) <= _FEW:
        return "one of: " + ", ".join(choices)
    return ""
