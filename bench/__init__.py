"""Benchmarks: what labctl promises on scale and speed, each as a ratio taken in one run.

`python -m bench` prints them all; each module's `run` is one benchmark.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the private libvirtd is the tests' (tests/harness)
