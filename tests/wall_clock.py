"""Run a Python program with the wall clock set, at its edge: ``wall_clock.py INSTANT MAIN ARG...``.

Only what Python calls the time is another; time goes on from there, and the monotonic clock and zones stay real.
"""

import calendar
import sys
import time


def main(instant: str, file: str, *words: str) -> None:
    real = time.time
    ahead = calendar.timegm(time.strptime(instant, "%Y-%m-%dT%H:%M:%SZ")) - real()
    time.time = lambda: real() + ahead
    sys.argv = [file, *words]
    with open(file) as source:
        code = compile(source.read(), file, "exec")
    exec(code, {"__name__": "__main__", "__file__": file})


if __name__ == "__main__":
    main(*sys.argv[1:])
