"""An image's manifest: what the store knows of it, as JSON beside the image."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

from labctl.atomic import appearing
from labctl.errors import ImageError
from labctl.model.image import Given, Image, Provenance


def read(path: Path) -> Image:
    """The image a manifest describes. Raises ImageError when it is unreadable or not one.

    What manifests of older versions of labctl lack is left at its default.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        values = {field.name: data[field.name] for field in fields(Image) if field.name in data}
        values["path"] = Path(values["path"])
        values["given"] = Given(**values.get("given", {}))
        values["provenance"] = Provenance(values.get("provenance", Provenance.UNKNOWN))
        return Image(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError(
            f"the manifest of image {path.stem} can't be read",
            details=f"{path}: {error!r}",
            resolution=f"import the image again: `labctl image import FILE --name {path.stem}`",
        ) from None


def write(path: Path, image: Image) -> None:
    """Write `image`'s manifest, whole or not at all."""
    data = {**asdict(image), "path": str(image.path), "given": image.given._asdict()}
    text = json.dumps(data, indent=2, sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with appearing(path, durable=True) as part:
        part.write_text(text + "\n", encoding="utf-8")
