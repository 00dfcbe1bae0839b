"""Start a home's main.py as run-job does, and tell what it did at the edge: ``observer.py ANSWER MAIN ARG...``.

Nothing is replaced: the interpreter itself reports each call of a C function (its profile hook) and each file that
is opened (its audit hook). The answer is the ``repr`` of the calls and of the modules loaded at the end. Imports
nothing that a bare interpreter has not, so that the modules are those of the run.
"""

import posix
import sys

_EDGE = {"write", "pwrite", "fdatasync", "flock", "posix_spawn", "poll", "wait4", "close", "_exit"}
calls = []


def find_file(frame):
    """Return the file that a call is about: our functions name its descriptor alike."""
    descriptor = frame.f_locals.get("descriptor")
    try:
        return posix.readlink(f"/proc/self/fd/{descriptor}") if isinstance(descriptor, int) else ""
    except OSError:
        return ""


def note_call(frame, event, function):
    if event != "c_call" or function.__name__ not in _EDGE:
        return
    calls.append((function.__name__, find_file(frame)))
    if function.__name__ == "_exit":
        sys.setprofile(None)
        text = repr((calls, sorted(sys.modules)))
        with open(answer, "w") as file:
            file.write(text)


def note_event(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        calls.append(("open", arguments[0]))


answer, __file__, *words = sys.argv[1:]
sys.argv = [__file__, *words]
with open(__file__) as file:
    main = compile(file.read(), __file__, "exec")
sys.addaudithook(note_event)
sys.setprofile(note_call)
exec(main)
