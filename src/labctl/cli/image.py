"""labctl image: the golden images nodes stand on"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from labctl.cli import options
from labctl.cli.image_convert import convert_image
from labctl.cli.image_import import import_image
from labctl.cli.image_inspect import inspect_image
from labctl.cli.image_list import list_images, remove_image, show_image
from labctl.cli.image_quarantine import quarantine_image
from labctl.cli.image_salvage import salvage_image
from labctl.cli.image_verify import verify_images
from labctl.cli.output import show
from labctl.errors import ImageError


def parse_name(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A file's or folder's name; nothing is read.")
    ],
    as_json: options.Json = False,
) -> None:
    """Explain the name of a Nexus image; exit code 5 where a part of it is not understood."""
    from labctl.model import image_name
    from labctl.model.fit import runs
    from labctl.report.image_name import name_data, name_lines, node_lines
    from labctl.topology.known_images import load_known_images
    from labctl.topology.platforms import load_platforms

    try:
        parsed = image_name.parse_name(name)
    except ValueError as error:
        raise ImageError(
            str(error),
            details="\n".join(("names understood, in any letter case:", *image_name.SCHEMES)),
            resolution="import the image under a name like these (`labctl image import --name`)",
        ) from None
    known = load_known_images().get(Path(name).name.lower())
    platform = next(platform for platform in load_platforms().values() if runs(platform, name))
    show(
        name_data(parsed),
        lambda paint: [*name_lines(parsed, known, paint), *node_lines(parsed, platform)],
        as_json=as_json,
    )


COMMANDS = {
    "import": import_image,
    "list": list_images,
    "show": show_image,
    "inspect": inspect_image,
    "verify": verify_images,
    "remove": remove_image,
    "convert": convert_image,
    "quarantine": quarantine_image,
    "salvage": salvage_image,
    "parse-name": parse_name,
}
