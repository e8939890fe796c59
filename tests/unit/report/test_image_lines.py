from datetime import UTC, datetime
from pathlib import Path

from labctl.model.image import Given, Image, Provenance
from labctl.ops.image_import import Relatives
from labctl.report.image import images_lines, imported_lines
from labctl.report.paint import Paint

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def image(name: str, verified: str, **more: object) -> Image:
    values: dict[str, object] = {
        "name": name,
        "path": Path("/store/sha256-ab.qcow2"),
        "sha256": "ab" * 32,
        "size": 3 << 20,
        "virtual_size": 8 << 30,
        "mtime_ns": 1,
        "imported": "2026-11-01T00:00:00+00:00",
        "source": "/tmp/a",
        "verified": verified,
    }
    return Image(**{**values, **more})  # type: ignore[arg-type]


def test_the_list_says_how_long_ago_each_was_read() -> None:
    images = [
        image("a", "2026-11-26T11:00:00+00:00"),
        image("b", "1970-01-01T00:00:00+00:00", sha256="cd" * 32),
    ]
    rows = images_lines(images, NOW, Paint())
    assert rows[1].endswith("1 h 0 min ago")
    assert rows[2].split()[-1] == "damaged"


def test_a_damaged_image_is_not_said_to_be_verified_in_1970() -> None:
    lines = imported_lines(image("b", "1970-01-01T00:00:00+00:00"), Relatives(), Paint())
    assert any(line.startswith("  verified    found damaged") for line in lines)
    assert not any("1970" in line for line in lines)


def test_what_it_was_made_from_is_told_where_it_was_another_file() -> None:
    given = Given("vmdk", 12, "ef" * 32, "12" * 16, flattened=False)
    known = image(
        "a",
        "2026-11-26T11:00:00+00:00",
        given=given,
        provenance=Provenance.MODIFIED,
        published="nxosv.9.3.1.qcow2",
        content="99" * 32,
        leaks=3,
    )
    lines = imported_lines(known, Relatives(same_disk=("b", "c")), Paint())
    assert f"  given       vmdk of 12 bytes, SHA-256 {'ef' * 32}, MD5 {'12' * 16}" in lines
    assert "  leaks       3 clusters that nothing uses" in lines
    assert "  same disk   b, c, converted or compacted" in lines
    assert any("not the published nxosv.9.3.1.qcow2" in line for line in lines)
    old = imported_lines(image("a", known.verified), Relatives(), Paint())
    assert not any(line.startswith("  given") for line in old)
    assert "  content     not known: imported by an older labctl" in old
