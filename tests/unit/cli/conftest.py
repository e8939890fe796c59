"""Operations replaced at their function boundary, and what they give back."""

from pathlib import Path
from typing import Any

import pytest

from harness.results import Replace


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCTL_HOME", str(tmp_path))


@pytest.fixture
def operation(monkeypatch: pytest.MonkeyPatch) -> Replace:
    """Replace an operation by one that gives `result` (or raises it); returns its calls."""

    def replaced(name: str, result: Any) -> list[Any]:
        calls: list[Any] = []

        def call(*args: Any, **options: Any) -> Any:
            calls.append((args, options))
            if isinstance(result, Exception):
                raise result
            return result

        monkeypatch.setattr(f"labctl.ops.{name}", call)
        return calls

    return replaced
