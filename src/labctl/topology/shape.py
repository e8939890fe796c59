"""What a pydantic model says of a document, in our words and at the right place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails

from labctl.topology.document import Document, Path, Value
from labctl.topology.suggest import suggest


class Shape(BaseModel):
    """Base of all file models: nothing unknown, nothing converted silently, nothing changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def report_misfit(
    model: type[BaseModel], document: Document, data: Value, details: ErrorDetails
) -> None:
    """Note one of pydantic's errors among the document's problems, in our words."""
    path = path_of(data, details["loc"])
    kind = details["type"]
    if kind == "extra_forbidden":
        choices = model_at(model, path[:-1]).model_fields
        document.report(
            path, f"unknown key {path[-1]!r}", document.suggest(str(path[-1]), choices), key=True
        )
    elif kind == "missing":
        name = f"{path[-1]}: " if path and isinstance(path[-1], str) else ""
        document.report(path, f"{name}{details['loc'][-1]!r} is missing", key=True)
    else:
        message, hint = _words(details)
        of_key = details["loc"][-1:] == ("[key]",)
        name = f"{path[-1]}: " if path and isinstance(path[-1], str) and not of_key else ""
        document.report(path, name + message, hint, key=of_key)


def path_of(data: Value, loc: tuple[int | str, ...]) -> Path:
    """`loc` less the steps that aren't in the data: union tags and missing keys."""
    path: list[int | str] = []
    for step in loc:
        if isinstance(data, dict) and step in data:
            data = data[str(step)]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            continue
        path.append(step)
    return tuple(path)


def model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """The model that describes the mapping at `path`."""
    steps = iter(path)
    for step in steps:
        if (field := model.model_fields.get(str(step))) is None:
            continue
        found = _models(field.annotation)
        model = found[0] if found else model
        if _is_collection(field.annotation):
            next(steps, None)
    return model


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _is_collection(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return origin in (list, dict) or any(
        get_origin(part) in (list, dict) for part in get_args(annotation)
    )


_Words = Callable[[Mapping[str, Any], object], str]
_WORDS: Mapping[str, _Words] = {
    "int_type": lambda _, value: f"must be a whole number, not {show(value)}",
    "float_type": lambda _, value: f"must be a number, not {show(value)}",
    "bool_type": lambda _, value: f"must be true or false, not {show(value)}",
    "string_type": lambda _, value: f"must be text, not {show(value)}",
    "list_type": lambda _, value: f"must be a list, not {show(value)}",
    "dict_type": lambda _, value: f"must be a mapping of keys to values, not {show(value)}",
    "model_type": lambda _, value: f"must be a mapping of keys to values, not {show(value)}",
    "greater_than_equal": lambda ctx, value: f"must be {ctx['ge']} or more, not {value}",
    "greater_than": lambda ctx, value: f"must be more than {ctx['gt']}, not {value}",
    "less_than_equal": lambda ctx, value: f"must be {ctx['le']} or less, not {value}",
    "value_error": lambda ctx, _: str(ctx["error"]),
    "too_short": lambda ctx, _: f"must have {ctx['min_length']} entries or more",
    "too_long": lambda ctx, _: f"must have {ctx['max_length']} entries or fewer",
    "string_too_short": lambda _ctx, _: "must not be empty",
}


def _words(details: ErrorDetails) -> tuple[str, str]:
    """Our words and a hint for one of pydantic's errors."""
    context, value = details.get("ctx", {}), details["input"]
    if details["type"] == "literal_error":
        choices = [
            part.strip("'") for part in context["expected"].replace(" or ", ", ").split(", ")
        ]
        return f"{show(value)} is not known here", suggest(str(value), choices)
    words = _WORDS.get(details["type"])
    return (words(context, value) if words else details["msg"][:1].lower() + details["msg"][1:]), ""


def show(value: object) -> str:
    """A value as a message names it, short."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
