"""Write an image of the store in another format, for other hypervisors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from labctl.errors import ImageError, UsageError
from labctl.filelock import locked
from labctl.images.export import export
from labctl.images.store import ImageStore
from labctl.model.esxi import SPARSE, STREAM, EsxiNeeds, esxi_needs
from labctl.model.fit import fitted, runs
from labctl.model.image import Image
from labctl.model.image_name import parse_name
from labctl.model.platform import Platform
from labctl.ops.context import Context
from labctl.ops.events import Progress
from labctl.topology.platforms import load_platforms

_VMDK = "vmdk"
_SUBFORMATS = (SPARSE, STREAM)
"""Those of one file: the others' data would lie beside it, in files that can't appear at once."""
_LOCK_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Form:
    """What an image is to be written as."""

    format: str
    subformat: str = ""
    compress: bool = False

    def options(self) -> tuple[str, ...]:
        return (f"subformat={self.subformat}",) if self.subformat else ()


@dataclass(frozen=True, slots=True)
class Converted:
    """A file that shows a guest the same disk as the image; `esxi` for a VMDK of a known device."""

    file: Path
    format: str
    subformat: str
    size: int
    content: str
    esxi: EsxiNeeds | None


def convert_image(
    ctx: Context, name: str, form: Form, output: Path, *, force: bool = False
) -> Converted:
    """Write image `name` to `output`, whole or not at all; what is there only goes with `force`.

    Raises UsageError when the form makes no sense or `output` is there, ImageError when there is
    no such image or what was written is not the same disk.
    """
    form = _checked(form)
    if output.exists() and not force:
        raise UsageError(
            f"{output} is there already", resolution="give another file, or `--force` to replace it"
        )
    if not output.absolute().parent.is_dir():
        raise UsageError(
            f"there is no folder {output.parent} for {output.name}",
            resolution="make it first, or give another file",
        )
    image = ImageStore(ctx.home.images).get(name)
    if output.resolve() == image.path.resolve():
        raise UsageError(f"{output} is the image itself", resolution="give another file")
    ctx.home.locks.mkdir(parents=True, exist_ok=True)
    try:
        with locked(
            ctx.home.locks / "convert", deadline=_LOCK_SECONDS, what="the conversion of images"
        ):
            content = export(
                image,
                output,
                target=form.format,
                options=form.options(),
                compress=form.compress,
                told=lambda *step: ctx.emit(Progress(*step)),
            )
    except OSError as error:
        raise ImageError(f"can't write {output}: {error.strerror}") from None
    esxi = _esxi(image, form, output)
    return Converted(output, form.format, form.subformat, output.stat().st_size, content, esxi)


def _checked(form: Form) -> Form:
    """The form with its subformat; only a VMDK has one, and only qcow2 is compressed by choice."""
    if form.subformat and form.format != _VMDK:
        raise UsageError(f"{form.format} has no subformats", resolution="leave `--subformat` out")
    if form.compress and form.format != "qcow2":
        raise UsageError(
            f"{form.format} is not compressed by choice",
            resolution=f"`--to vmdk --subformat {STREAM}` is always compressed, qcow2 by "
            "`--compress`",
        )
    if form.format != _VMDK:
        return form
    if form.subformat not in ("", *_SUBFORMATS):
        raise UsageError(
            f"labctl writes no {form.subformat} VMDK", resolution=f"one of {', '.join(_SUBFORMATS)}"
        )
    return Form(_VMDK, form.subformat or SPARSE)


def _esxi(image: Image, form: Form, output: Path) -> EsxiNeeds | None:
    if form.format != _VMDK:
        return None
    platform = _platform(image.name)
    if platform is None:
        return None
    return esxi_needs(fitted(platform, image.name, 0), form.subformat, output.name)


def _platform(name: str) -> Platform | None:
    """The platform whose images are called so."""
    platforms = load_platforms().values()
    for platform in platforms:
        if platform.default_image == name:
            return platform
    try:
        parse_name(name)
    except ValueError:
        return None
    return next((platform for platform in platforms if runs(platform, name)), None)
