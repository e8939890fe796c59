"""An image's manifest: what the store knows of it, as JSON beside the image."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

from labctl.atomic import appearing
from labctl.errors import ImageError
from labctl.model.image import Image


def read(path: Path) -> Image:
    """The image a manifest describes. Raises ImageError when it is unreadable or not one."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        values = {field.name: data[field.name] for field in fields(Image)}
        return Image(**{**values, "path": Path(values["path"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError(
            f"the manifest of image {path.stem} can't be read",
            details=f"{path}: {error!r}",
            resolution=f"import the image again: `labctl image import FILE --name {path.stem}`",
        ) from None


def write(path: Path, image: Image) -> None:
    """Write `image`'s manifest, whole or not at all."""
    text = json.dumps({**asdict(image), "path": str(image.path)}, indent=2, sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing(path, durable=True) as part:
        part.write_text(text + "\n", encoding="utf-8")
