"""Makes of a faulty document one that fits its model, so that the rest of it can be checked.

A misspelt key counts as the one that was meant; what can be left out is left out; what can't is
guessed. The document remembers both, so that no check blames what only follows from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labctl.topology.document import Document, Item, Path
from labctl.topology.shape import model_at, path_of, report_misfit
from labctl.topology.suggest import nearest

ModelT = TypeVar("ModelT", bound=BaseModel)
Guesses = Mapping[str, int | str]

_KINDS: Mapping[str, type] = {
    **dict.fromkeys(("spines", "leaves", "borders", "hosts_per_leaf"), int),
    **dict.fromkeys(("fabric", "nodes"), dict),
    **dict.fromkeys(("links", "vrfs", "networks", "on"), list),
    "role": str,
}
"""Keys whose absence is noticed elsewhere in the file, and what they hold."""
_MOST_RENAMED = 100
"""Each look for what was meant costs a search."""
_OTHER_KIND = ("model_type", "dict_type", "list_type")
"""pydantic's names for a plain value where a mapping or list must be."""


def validate(model: type[ModelT], document: Document, guesses: Guesses) -> ModelT | None:
    """The document as `model`, less what misfits; None when it isn't even a mapping.

    The misfits are among the document's problems, the paths left out are in its `dropped`.
    `guesses` stand in for what can't be left out: by the name of a required key, or NAME[][]
    for an entry of a list of lists.
    """
    file, misfits = _hold(model, document)
    renamed: set[Path] = set()
    while len(renamed) < _MOST_RENAMED and (fresh := _rename_misspelt(model, document, misfits)):
        renamed |= fresh
        file, misfits = _hold(model, document)
    data = document.root.plain()
    for details in misfits:
        # A renamed key whose value is of another kind was meant for something else.
        if details["type"] not in _OTHER_KIND or path_of(data, details["loc"]) not in renamed:
            report_misfit(model, document, data, details)
    while misfits:
        if not _mend(model, document, misfits, guesses):
            return None
        file, misfits = _hold(model, document)
    return file


def _hold(model: type[ModelT], document: Document) -> tuple[ModelT | None, list[ErrorDetails]]:
    """The document as `model`, or in what it misfits."""
    try:
        return model.model_validate(document.root.plain()), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _rename_misspelt(
    model: type[BaseModel], document: Document, misfits: list[ErrorDetails]
) -> set[Path]:
    """Give unknown keys the name that was meant, where it is free; the paths they then have."""
    renamed: set[Path] = set()
    data = document.root.plain()
    unknown = [details for details in misfits if details["type"] == "extra_forbidden"]
    for details in unknown[:_MOST_RENAMED]:
        path = path_of(data, details["loc"])
        parent = document.at(path[:-1])
        if parent is None or not isinstance(parent.value, dict):
            continue
        key = str(path[-1])
        meant = nearest(key, model_at(model, path[:-1]).model_fields)
        if meant and meant not in parent.value and key in parent.value:
            report_misfit(model, document, data, details)
            parent.value[meant] = parent.value.pop(key)
            renamed.add((*path[:-1], meant))
    return renamed


def _mend(
    model: type[BaseModel], document: Document, misfits: list[ErrorDetails], guesses: Guesses
) -> bool:
    """Guess or leave out all that misfits; False where that is the whole document."""
    data = document.root.plain()
    paths: set[Path] = set()
    for details in misfits:
        path = path_of(data, details["loc"])
        if details["type"] == "extra_forbidden":
            document.dropped |= _meant(model, document, path)
        slot: Path = (*path, str(details["loc"][-1])) if details["type"] == "missing" else path
        if not _guess(model, document, slot, guesses):
            paths.add(path)
    if () in paths:
        return False
    outermost = {
        path for path in paths if not any(path[:depth] in paths for depth in range(len(path)))
    }
    document.remove(outermost)
    document.dropped |= outermost
    return True


def _meant(model: type[BaseModel], document: Document, path: Path) -> set[Path]:
    """What the unknown key at `path` may have been meant for: absent, of its value's kind."""
    item, parent = document.at(path), document.at(path[:-1])
    fields = model_at(model, path[:-1]).model_fields
    return {
        (*path[:-1], key)
        for key, kind in _KINDS.items()
        if key in fields and item and parent and not parent.child(key)
        if isinstance(item.value, kind)
    }


def _guess(model: type[BaseModel], document: Document, path: Path, guesses: Guesses) -> bool:
    """Put the guess for `path` there, if there is one."""
    parent = document.at(path[:-1])
    depth = next((n for n, step in enumerate(path[::-1]) if isinstance(step, str)), 0)
    if parent is None or not path:
        return False
    name = str(path[-1 - depth]) + "[]" * depth
    if name not in guesses:
        return False
    last, wrong = path[-1], document.at(path) or parent
    guess = Item(wrong.index, guesses[name], is_guess=True)
    if isinstance(parent.value, dict) and isinstance(last, str):
        field = model_at(model, path[:-1]).model_fields.get(last)
        if field is None or not field.is_required():
            return False
        parent.value[last] = (wrong.index, guess)
    elif isinstance(parent.value, list) and isinstance(last, int):
        parent.value[last] = guess
    return True
