"""Where a file comes from, as far as sizes and digests prove it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from labctl.images.digest import file_digest
from labctl.model.image import Image, Provenance
from labctl.model.inspection import Chain, Layer, Origin
from labctl.model.known_image import KnownImage, compare, may_be


def origin_of_file(
    path: Path, chain: Chain, known: Mapping[str, KnownImage], *, deep: bool
) -> Origin:
    """Compares a file with what is published under its name, as its release, or of its size.

    The MD5 costs reading all of it, so only a file of a published size is read, or with `deep`
    one whose name is published. Raises OSError.
    """
    names, size = (path.name, str(path)), chain.layers[0].size
    if not may_be(names, size, known):
        return Origin(Provenance.UNKNOWN, how="no published file of that name, release or size")
    sized = any(image.size == size for image in known.values())
    md5 = file_digest(path, "md5") if sized or deep else ""
    provenance, published = compare(names, size, md5, known)
    if not published:
        return Origin(Provenance.UNKNOWN, md5=md5, how="of a published size, and another file")
    image = known[published.lower()]
    if provenance is Provenance.PRISTINE:
        how = f"byte for byte {image.file} as published ({image.source})"
    else:
        how = f"not {image.file} as published ({image.source}): {_difference(chain, md5, image)}"
    return Origin(provenance, image.file, image.size, md5, how=how)


def _difference(chain: Chain, md5: str, image: KnownImage) -> str:
    if chain.below or chain.fault:
        return "it is an overlay, which stands on other files"
    size = chain.layers[0].size
    if size != image.size:
        return f"{size} bytes instead of {image.size}"
    return f"MD5 {md5} instead of {image.md5}"


def origin_of_stored(image: Image, layer: Layer, *, deep: bool) -> Origin:
    """What the store's manifest says, held to the file: read whole where much hangs on it.

    That is where the manifest says pristine, the file looks touched or was found damaged, or with
    `deep`. Raises OSError.
    """
    provenance, same = image.provenance, None
    if layer.size != image.size:
        same = False
    elif deep or provenance is Provenance.PRISTINE or image.found_damaged or _is_touched(image):
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
