"""What a name leaves in the store whose image went into quarantine. A new import outdoes it."""

from __future__ import annotations

import json
from pathlib import Path

from labctl.atomic import write_atomically
from labctl.errors import ImageError
from labctl.model.case import Case


def bury(names: Path, name: str, case: Case, folder: Path) -> None:
    """Leave word in the folder `names` of where the image `name` is."""
    told = {"case": case.id, "since": case.opened, "folder": str(folder)}
    write_atomically(_path(names, name), json.dumps(told).encode())


def clear(names: Path, name: str) -> None:
    """The name has a good image again."""
    _path(names, name).unlink(missing_ok=True)


def refuse_if_buried(names: Path, name: str) -> None:
    """Raise ImageError saying where the image is, if it is in quarantine."""
    path = _path(names, name)
    if not path.exists():
        return
    told = json.loads(path.read_text(encoding="utf-8"))
    raise ImageError(
        f"image {name} is in quarantine since {told['since']}, case {told['case']}",
        details=told["folder"],
        resolution=f"import a good copy: `labctl image import FILE --name {name}`, then make what "
        "stood on it anew: `labctl rebuild LAB`\n"
        f"where there is none: `labctl image salvage {told['case']} --name NEW`",
    )


def case_of(names: Path, name: str) -> str:
    """The id of the case that the image `name` is in; "" where it is in none."""
    path = _path(names, name)
    if not path.exists():
        return ""
    return str(json.loads(path.read_text(encoding="utf-8"))["case"])


def _path(names: Path, name: str) -> Path:
    return names / f"{name}.quarantined"
