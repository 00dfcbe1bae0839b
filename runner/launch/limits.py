"""A job with ``limits``: started by fork and exec, since limits are set between the two (RUN-20, RUN-24).

The wrapper itself stays outside them: it must live to tell how the job ended.
"""

from __future__ import annotations

import posix
import resource

from runner.launch.outcome import CannotStart

# Equal limits kill without the SIGXCPU that tells what has happened.
_CPU_MARGIN_S = 5
_EPERM, _ENOMEM = 1, 12
# Python, C++, the C library and shells, awk, Perl.
_OUT_OF_MEMORY = (b"MemoryError", b"bad_alloc", b"annot allocate memory", b"memory exhausted", b"ut of memory")
_MUCH = 0.8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.launch.plan import Plan

Limit = tuple[str, int, tuple[int, int]]


def list_limits(plan: Plan, memory_bytes: int) -> list[Limit]:
    """Return name, resource, and soft and hard limit of what a plan bounds; `memory_bytes` 0 is no bound."""
    cpu_s = -int(-plan.limit_cpu_s // 1)
    known = (
        ("memory", resource.RLIMIT_AS, memory_bytes, memory_bytes),
        ("cpu", resource.RLIMIT_CPU, cpu_s, cpu_s + _CPU_MARGIN_S),
        ("files", resource.RLIMIT_NOFILE, plan.limit_files, plan.limit_files),
        ("processes", resource.RLIMIT_NPROC, plan.limit_processes, plan.limit_processes),
    )
    return [(name, number, (soft, hard)) for name, number, soft, hard in known if soft]


def spawn_limited(
    start: Callable[[], None],
    program: str,
    words: list[str],
    environment: Mapping[str, str],
    limits: Sequence[Limit],
    nice: int,
) -> int:
    """Fork, call `start` in the child, set the limits and execute; return the pid.

    Raises
    ------
    OSError
        As ``execve`` does.
    CannotStart
        A limit cannot be set, with its name.
    """
    read_end, write_end = posix.pipe2(posix.O_CLOEXEC)
    pid = posix.fork()
    if pid == 0:
        _become(write_end, start, program, words, environment, limits, nice)
    posix.close(write_end)
    trouble = posix.read(read_end, 4096).decode("utf-8", "backslashreplace")
    posix.close(read_end)
    if not trouble:
        return pid
    posix.waitpid(pid, 0)
    number, _, name = trouble.partition(" ")
    error = OSError(int(number), posix.strerror(int(number)))
    if name:
        raise CannotStart(f"limits: {name}: {error.strerror}")
    raise error


def _become(
    write_end: int,
    start: Callable[[], None],
    program: str,
    words: list[str],
    environment: Mapping[str, str],
    limits: Sequence[Limit],
    nice: int,
) -> None:
    """Be the job, or write why not and leave; never returns."""
    name = ""
    try:
        start()
        name = f"nice {nice}"
        if nice:
            posix.nice(nice)
        for limit, number, (soft, hard) in limits:
            name = f"{limit} {soft}"
            resource.setrlimit(number, (soft, hard))
        name = ""
        posix.execve(program, words, environment)
    except ValueError:  # a hard limit above the present one
        posix.write(write_end, f"{_EPERM} {name}".encode())
    except MemoryError:
        posix.write(write_end, f"{_ENOMEM} {name}".encode())
    except OSError as error:
        posix.write(write_end, f"{error.errno} {name}".encode())
    finally:
        posix._exit(126)


def ran_out_of_memory(signal: int, oom_kills: int, max_rss_bytes: int, memory_bytes: int, stderr: bytes) -> bool:
    """Whether a failed attempt failed for want of memory (RUN-24).

    Parameters
    ----------
    signal, oom_kills
        What it died of, and how often the kernel has killed for memory in our cgroup meanwhile.
    max_rss_bytes, memory_bytes
        The size of its largest process, and the limit, 0 for none.
    stderr
        What is kept of it.
    """
    if signal == 9 and oom_kills > 0:
        return True
    if memory_bytes and max_rss_bytes >= _MUCH * memory_bytes:
        return True
    return any(word in stderr for word in _OUT_OF_MEMORY)
