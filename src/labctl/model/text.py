"""Text that others wrote, made safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` safe for terminals and JSON: what an image holds is nobody's to trust.

    Of a file's name that is no text, each odd byte is one `�`.
    """
    return "".join(c if c.isprintable() else "�" for c in text)
