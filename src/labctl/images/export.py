"""A golden image in another format, proved to hold the same disk before it appears."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from labctl.atomic import appearing
from labctl.errors import ImageError
from labctl.images import qemu_img
from labctl.images.digest import content_digest, raw_digest
from labctl.images.told import Told, watched
from labctl.model.image import Image


def export(
    image: Image,
    output: Path,
    *,
    target: str,
    options: Sequence[str],
    compress: bool,
    told: Told,
) -> str:
    """Write `image` to `output` as `target`; the content digest, the same before and after.

    Raises ImageError when qemu-img can't, or the result shows a guest another disk; OSError when
    it can't be written. `output` is not touched then. The caller holds a lock that keeps others
    away from it.
    """
    scratch = output.with_name(f"{output.name}.scratch.part")
    with appearing(output, durable=True) as part:
        with watched(part, image.size, "convert", told):
            qemu_img.convert(
                image.path,
                part,
                source_format="qcow2",
                target_format=target,
                options=options,
                compress=compress,
            )
        wanted = image.content or content_digest(image.path, scratch=scratch)
        if target == "raw":
            found = raw_digest(part)
        else:
            found = content_digest(part, scratch=scratch, image_format=target)
        if found != wanted:
            raise ImageError(
                f"the {target} made of {image.name} is not the same disk",
                details=f"content digest {found} instead of {wanted}",
                resolution=f"`labctl image verify {image.name}` tells whether the image is whole",
            )
    return found
