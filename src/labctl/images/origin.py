"""Where a file comes from, as far as sizes and digests prove it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from labctl.images.digest import file_digest
from labctl.model.image import Image, Provenance
from labctl.model.image_name import ImageName, parse_name
from labctl.model.inspection import Chain, Layer, Origin
from labctl.model.known_image import KnownImage


def origin_of_file(
    path: Path,
    chain: Chain,
    claims: ImageName | None,
    known: Mapping[str, KnownImage],
    *,
    deep: bool,
) -> Origin:
    """Compares a file with what is published under its name, as its release, or of its size.

    The MD5 costs reading all of it, so only a file of a published size is read, or with `deep`
    one whose name is published. Raises OSError.
    """
    layer = chain.layers[0]
    alike = like(path.name, claims, known.values())
    sized = [image for image in known.values() if image.size == layer.size]
    if not alike and not sized:
        return Origin(Provenance.UNKNOWN, how="no published file of that name, release or size")
    md5 = file_digest(path, "md5") if sized or deep else ""
    same = next((image for image in sized if image.md5 == md5), None)
    if same is not None:
        how = f"byte for byte {same.file} as published ({same.source})"
        return Origin(Provenance.PRISTINE, same.file, same.size, md5, how=how)
    if not alike:
        how = f"of the size of {sized[0].file}, and another file"
        return Origin(Provenance.UNKNOWN, md5=md5, how=how)
    nearest = min(alike, key=lambda image: image.file.lower() != path.name.lower())
    why = f"MD5 {md5} instead of {nearest.md5}"
    if chain.below or chain.fault:
        why = "it is an overlay, which stands on other files"
    elif nearest.size != layer.size:
        why = f"{layer.size} bytes instead of {nearest.size}"
    how = f"not {nearest.file} as published ({nearest.source}): {why}"
    return Origin(Provenance.MODIFIED, nearest.file, nearest.size, md5, how=how)


def origin_of_stored(image: Image, layer: Layer, *, deep: bool) -> Origin:
    """What the store's manifest says, held to the file: read whole where much hangs on it.

    That is where the manifest says pristine, the file looks touched, or with `deep`. Raises
    OSError.
    """
    provenance, same = image.provenance, None
    if layer.size != image.size:
        same = False
    elif deep or provenance is Provenance.PRISTINE or _is_touched(image):
        same = file_digest(image.path) == image.sha256
    if same is False:
        provenance = Provenance.UNKNOWN
    how = f"the store took it from {image.source or 'an unknown file'} on {image.imported}"
    if image.published:
        how += f", compared with {image.published}: {image.provenance}"
    told = (provenance, image.published, 0, image.given.md5)
    return Origin(*told, store=image.name, as_stored=same, how=how)


def _is_touched(image: Image) -> bool:
    return image.path.stat().st_mtime_ns != image.mtime_ns


def like(name: str, claims: ImageName | None, known: Iterable[KnownImage]) -> list[KnownImage]:
    """The published files of that name; where there is none, those of what the name says.

    EVE-NG's nxosv9k-7.0.3.I7.4 is Cisco's nxosv-final.7.0.3.I7.4.qcow2.
    """
    images = list(known)
    exact = [image for image in images if image.file.lower() == name.lower()]
    if exact or claims is None:
        return exact
    wanted = _identity(claims)
    format_ = claims.format or "qcow2"
    alike = [(image, parse_name(image.file)) for image in images]
    return [i for i, parsed in alike if (_identity(parsed), parsed.format) == (wanted, format_)]


def _identity(name: ImageName) -> tuple[object, ...]:
    return (name.release.age, name.product, name.bits, name.lite)
