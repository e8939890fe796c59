"""Take a disk into the image store, and say what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from labctl.images.admit import admit
from labctl.images.intake import Request
from labctl.images.store import ImageStore
from labctl.model.image import Image
from labctl.ops.context import Context
from labctl.ops.events import Progress
from labctl.topology.known_images import load_known_images


@dataclass(frozen=True, slots=True)
class Relatives:
    """Other names of an image's file, and images of other files that show a guest the same disk."""

    same_file: tuple[str, ...] = ()
    same_disk: tuple[str, ...] = ()


def import_image(
    ctx: Context, file: Path, name: str, *, flatten: bool = False, member: str = ""
) -> tuple[Image, Relatives]:
    """Copy or convert `file` into the store as `name`.

    `flatten` makes one disk of it and all it stands on; `member` names the disk in an .ova.
    Raises ImageError when it can't be a golden image.
    """
    store = ImageStore(ctx.home.images)
    request = Request(file, name, flatten=flatten, member=member, known=load_known_images())
    image = admit(store, request, lambda *step: ctx.emit(Progress(*step)))
    return image, relatives(image, store.list())


def relatives(image: Image, images: Iterable[Image]) -> Relatives:
    """What else in the store is the same file, or the same disk in another form."""
    others = [other for other in images if other.name != image.name]
    return Relatives(
        tuple(other.name for other in others if other.sha256 == image.sha256),
        tuple(
            other.name
            for other in others
            if image.content and other.content == image.content and other.sha256 != image.sha256
        ),
    )
