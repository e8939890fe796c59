"""labctl image list, show and remove"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.output import show
from labctl.cli.session import home, telling

Name = Annotated[str, typer.Argument(metavar="NAME", help="The image's name in the store.")]


def list_images(as_json: options.Json = False) -> None:
    """List the images in the store: what they are, when they were last read whole."""
    from labctl.images.store import ImageStore
    from labctl.report.image import images_lines

    images = ImageStore(home().images).list()
    now = datetime.now(UTC)
    show({"images": images}, lambda paint: images_lines(images, now, paint), as_json=as_json)


def show_image(name: Name, as_json: options.Json = False) -> None:
    """Show one image: file, digests, provenance, and the disks of labs that stand on it."""
    from labctl.images.disks import users
    from labctl.images.store import ImageStore
    from labctl.ops.image_import import relatives
    from labctl.report.image import shown_data, shown_lines

    store = ImageStore(home().images)
    image = store.get(name)
    related, labs = relatives(image, store.list()), home().labs
    disks = tuple(str(path.relative_to(labs)) for path in users(image.path, labs))
    show(
        shown_data(image, related, disks),
        lambda paint: shown_lines(image, related, disks, paint),
        as_json=as_json,
    )


def remove_image(ctx: typer.Context, name: Name, as_json: options.Json = False) -> None:
    """Remove an image's name, and with its last name the file.

    Refused (exit code 5) while a lab's topology names it, or with the last name a disk of any
    lab, snapshots' included, or of any of the hypervisor's domains stands on the file.
    """
    from labctl.ops.image_remove import remove_image
    from labctl.report.image import removed_lines

    with telling(ctx, as_json=as_json) as context:
        removed = remove_image(context, name)
    show(removed, lambda _: removed_lines(removed), as_json=as_json)
