"""Start a program, wait for it, tell what it took: launch.py RESULT DEADLINE PROGRAM ARG...

A process of its own, as small as can be: Linux counts what a process held before its exec() as
part of its peak memory, so that a large parent would show up in every measurement.
"""

import os
import signal
import sys
import time


def main(result: str, deadline: int, argv: list[str]) -> int:
    """Write `wall cpu peak status` (seconds, seconds, KiB, exit status) to the file `result`."""
    started = time.perf_counter()
    child = os.posix_spawnp(argv[0], argv, os.environ)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(deadline)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    cpu = usage.ru_utime + usage.ru_stime
    with open(result, "w") as file:  # noqa: PTH123  pathlib would make this process larger
        file.write(f"{wall} {cpu} {usage.ru_maxrss} {os.waitstatus_to_exitcode(status)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
