"""Run the benchmarks: `python -m bench [NAME ...] [--json]`. Exit 1 when a limit is not kept."""

from __future__ import annotations

import argparse
import compileall
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict

from bench import ROOT, intake, lifecycle, netlab, noop, scale, snapshots, startup, warm
from bench.result import Figure, Result

BENCHES: dict[str, Callable[[], Result]] = {
    "lifecycle": lifecycle.measure,
    "scale": scale.measure,
    "netlab": netlab.measure,
    "startup": startup.measure,
    "noop": noop.measure,
    "intake": intake.measure,
    "snapshots": snapshots.measure,
    "warm": warm.measure,
}


def main() -> int:
    """Measure what is asked for, all of it if nothing is, and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    # As pip does with what it installs: where Python writes no bytecode, each start would compile.
    compileall.compile_dir(ROOT / "src/labctl", quiet=1)
    results = []
    for name in asked.names or BENCHES:
        results.append(BENCHES[name]())
        if not asked.json:
            print("\n".join(_lines(results[-1])), flush=True)
    if asked.json:
        print(json.dumps([_data(result) for result in results], indent=2))
    return 0 if all(result.kept for result in results) else 1


def _lines(result: Result) -> Iterable[str]:
    yield result.name
    for figure in result.figures:
        verdict = "kept" if figure.kept else "NOT KEPT"
        yield f"  {figure.name:<58} {_number(figure):>12}  {_limit(figure):<12} {verdict}"
    if result.missing:
        yield f"  not measured: {result.missing}"
    for note in result.notes:
        yield f"    {note}"


def _number(figure: Figure) -> str:
    return f"{figure.measured:.2f} {figure.unit}"


def _limit(figure: Figure) -> str:
    return f"{'>=' if figure.at_least else '<='} {figure.limit:g} {figure.unit}"


def _data(result: Result) -> dict[str, object]:
    return {
        **asdict(result),
        "kept": result.kept,
        "figures": [{**asdict(figure), "kept": figure.kept} for figure in result.figures],
    }


if __name__ == "__main__":
    sys.exit(main())
