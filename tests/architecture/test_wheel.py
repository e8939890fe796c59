"""The wheel is whole: installed outside the checkout it renders, validates, and has its data."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIP: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
TOPOLOGIES = sorted((ROOT / "topologies").glob("*.yaml"))


def run(*argv: str | Path, cwd: Path, stdin: str = "") -> str:
    done = subprocess.run(argv, cwd=cwd, input=stdin, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what is tracked, so that nothing else can slip in."""
    folder = tmp_path_factory.mktemp("wheel")
    checkout = folder / "checkout"
    tracked = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, checkout / name, follow_symlinks=False)
    run(
        *PIP,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
        checkout,
        cwd=folder,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def labctl(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """labctl in a fresh environment that borrows the libraries, but not labctl, from this one."""
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    library = Path(sysconfig.get_paths(vars={"base": str(folder)})["purelib"])
    run(*PIP, "--python", folder / "bin" / "python", "install", "--no-deps", wheel, cwd=folder)
    borrowed = sysconfig.get_paths()["purelib"]
    (library / "borrowed.pth").write_text(f"{borrowed}\n")
    found = run(
        folder / "bin" / "python", "-c", "import labctl; print(labctl.__file__)", cwd=folder
    )
    assert found.startswith(str(library)), "the checkout's labctl was found instead of the wheel's"
    return folder / "bin" / "labctl"


def test_the_wheel_carries_templates_and_standing_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "lab/platforms"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"labctl/{path.relative_to(ROOT)}" in names


@pytest.mark.parametrize("topology", TOPOLOGIES, ids=lambda path: path.stem)
def test_it_renders_every_topology_as_the_checkout_does(
    topology: Path, labctl: Path, tmp_path: Path
) -> None:
    run(labctl, "render", topology, "wheel", cwd=tmp_path)
    run(Path(sys.executable).with_name("labctl"), "render", topology, "checkout", cwd=tmp_path)
    ours = {p.relative_to(tmp_path / "wheel"): p for p in (tmp_path / "wheel").rglob("*")}
    theirs = {p.relative_to(tmp_path / "checkout"): p for p in (tmp_path / "checkout").rglob("*")}
    assert set(ours) == set(theirs)
    for name, path in ours.items():
        assert path.is_dir() or path.read_bytes() == theirs[name].read_bytes(), name


def test_new_piped_into_validate(labctl: Path, tmp_path: Path) -> None:
    text = run(labctl, "new", cwd=tmp_path)
    assert "valid" in run(labctl, "validate", "-", cwd=tmp_path, stdin=text)


def test_the_schema_is_in_it(labctl: Path, tmp_path: Path) -> None:
    assert '"$schema"' in run(labctl, "schema", cwd=tmp_path)
