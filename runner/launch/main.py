"""What a crontab line starts: ``run-job PLAN [--slot INSTANT] [--hand] [-- ARGUMENT...]`` or ``run-job --sweep``.

``--missed`` and ``--rerun`` are the sweep's, which starts what cron or a crash has left out.
Arguments are read by hand: ``argparse`` alone would cost as much as the interpreter (RUN-45).
"""

from __future__ import annotations

import posix
import sys

from runner.launch.outcome import CODE_BUG, CODE_CANNOT_EXECUTE

# Logs are 0640 whatever the caller's mask (RUN-40); what is private asks for less.
_UMASK = 0o027
USAGE = "usage: run-job PLAN [--slot 2026-03-08T07:00:00Z] [--hand] [-- ARGUMENT...] | run-job --sweep\n"


def main(home: str, interpreter: str, arguments: list[str]) -> int:
    """Act on the command line; return the exit code.

    `interpreter` is that of the command ``runner``, which the sweep needs and a run does not.
    """
    if posix.getuid() != posix.geteuid():
        sys.stderr.write("run-job: refuses a set-uid start (SEC-13)\n")
        return CODE_CANNOT_EXECUTE
    if arguments == ["--sweep"]:
        return _become_sweep(home, interpreter)
    from runner.launch.run import run_job

    try:
        request = parse_arguments(arguments)
    except ValueError as error:
        sys.stderr.write(f"run-job: {error}\n{USAGE}")
        return 2
    request.interpreter = interpreter
    return run_job(home, request)


def parse_arguments(arguments: list[str]) -> Request:
    """Return what the command line asks for; ValueError says what is wrong with it."""
    from runner.launch.gates import is_plan_name
    from runner.launch.instant import parse_instant
    from runner.launch.records import BY_HAND, BY_MISSED, BY_RERUN, Request

    if not arguments or not is_plan_name(arguments[0]):
        raise ValueError(f"{arguments[0]!r} is no name of a plan" if arguments else "the name of a plan is missing")
    request = Request(arguments[0])
    rest = iter(arguments[1:])
    for word in rest:
        if word[:2] == "--" and word[2:] in (BY_HAND, BY_MISSED, BY_RERUN):
            request.trigger = word[2:]
        elif word == "--slot":
            request.slot = next(rest, "")
            parse_instant(request.slot)
        elif word == "--":
            request.arguments = list(rest)
        else:
            raise ValueError(f"unknown argument {word!r}")
    if request.trigger in (BY_MISSED, BY_RERUN) and not request.slot:
        raise ValueError(f"--{request.trigger} needs the --slot that it is for")
    return request


def start(home: str, interpreter: str) -> None:
    """Run `main` and leave at once: the normal shutdown of the interpreter costs 1.4 ms and has nothing to do here."""
    code = CODE_BUG
    try:
        _settle()
        code = main(home, interpreter, sys.argv[1:])
        sys.stderr.flush()
    except BaseException:
        # A bug: cron mails the traceback to ops (RUN-36); the run is closed by the sweep.
        sys.excepthook(*sys.exc_info())
    posix._exit(code)


def _settle() -> None:
    """Become what every caller's run begins as: 0, 1 and 2 mean something, nothing else is open, the umask is ours.

    Whoever left a descriptor open would hand it on to the job (RUN-20); and where 2 was closed, the lock
    would be opened as 2, and mails be written into it.
    """
    for name in posix.listdir("/proc/self/fd"):
        if int(name) > 2:
            try:
                posix.close(int(name))
            except OSError:
                pass  # that of the listing itself
    while (descriptor := posix.open("/dev/null", posix.O_RDWR)) <= 2:
        posix.set_inheritable(descriptor, True)
    posix.close(descriptor)
    posix.umask(_UMASK)


def _become_sweep(home: str, interpreter: str) -> int:
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    try:
        posix.execve(interpreter, [interpreter, "-I", "-m", "runner.sweep", "--home", home], environment)
    except OSError as error:
        sys.stderr.write(f'run-job: {interpreter}: {error.strerror}; run "runner compile" in {home}\n')
    return CODE_CANNOT_EXECUTE


TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.launch.records import Request
