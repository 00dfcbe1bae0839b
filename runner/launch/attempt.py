"""One attempt: the steps of a job in one process tree, from the first spawn until nothing of it is left.

Both pipes are read by one poll loop; the end of a step is the end of its process (pidfd), never an
end-of-file, since a job may close its streams and go on, or end and leave a child that holds them.
"""

from __future__ import annotations

import fcntl
import posix
import select
import time

from runner.launch.environment import find_program
from runner.launch.log import Log
from runner.launch.orphans import reap_orphans
from runner.launch.outcome import (
    CODE_STOPPED,
    CODE_TIMED_OUT,
    OK,
    REASON_SHUTDOWN,
    STOPPED,
    TIMED_OUT,
    CannotStart,
    Ending,
    judge_status,
    refuse,
    should_run,
)
from runner.launch.plan import Plan, Step, has_limits
from runner.launch.process import count_oom_kills
from runner.launch.stream import LINE_S, Stream

_READ_BYTES = 65536
# What the pipe of a talkative job holds, so that it waits for us less often; of so large ones an account may have 128.
_WIDE_PIPE_BYTES = 524288
# An alert shows the first 8 KiB and the last 24 KiB of stderr (RUN-28), and the last lines of stdout.
STDERR_HEAD_BYTES, STDERR_TAIL_BYTES, STDOUT_TAIL_BYTES = 8 << 10, 24 << 10, 8 << 10
# After the last process ended, its pipes are drained for so long (RUN-29); descendants get so long to end (RUN-33).
# Half a second less than allowed, so that the end is written in time too.
DRAIN_S, SURVIVORS_S = 4.5, 2.0
# A silent job is looked after this often, to collect orphans that ended.
_TICK_S = 60.0
# A talkative one wakes us often; its orphans need not be looked for each time.
_REAP_S = 1.0
# How soon somebody who watches is asked again whether he reads on.
_ECHO_S = 0.02
# Who ends job and wrapper alike may do so in this order: a signal of ours comes so soon after the job's (FAULT-5).
_SHARED_SIGNAL_S = 0.1

_SIGHUP, _SIGINT, _SIGKILL, _SIGTERM, _SIGSTOP = 1, 2, 9, 15, 19
# Python ignores SIGPIPE and SIGXFSZ, cron or nohup may ignore others: a job inherits none of that (RUN-20).
# 32 and 33 belong to the C library.
_SIGNALS_TO_DEFAULT = [number for number in range(1, 65) if number not in (_SIGKILL, _SIGSTOP, 32, 33)]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.launch.echo import Echo
    from runner.launch.trust import Walk


class Stopper:
    """Tells the attempt that TERM, INT or HUP has come (RUN-35): the number, and a descriptor that wakes its poll."""

    __slots__ = ("number", "wakeup")

    def __init__(self) -> None:
        import _signal

        self.number = 0
        self.wakeup, write_end = posix.pipe2(posix.O_CLOEXEC | posix.O_NONBLOCK)
        _signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (_SIGTERM, _SIGINT, _SIGHUP):
            _signal.signal(number, self._remember)

    def _remember(self, number: int, _frame: object) -> None:
        self.number = self.number or number

    def let_go(self) -> None:
        """Let signals end this process again: all is recorded."""
        import _signal

        for number in (_SIGTERM, _SIGINT, _SIGHUP):
            _signal.signal(number, _signal.SIG_DFL)

    def sleep(self, seconds: float) -> bool:
        """Wait for so long, or until a signal has come; return whether none has."""
        until = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.wakeup, select.POLLIN)
        while not self.number and (left := until - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                posix.read(self.wakeup, 512)
        return not self.number


class StepEnd:
    """The end of one step: its number, wait status and seconds."""

    __slots__ = ("duration_s", "index", "status")

    def __init__(self, index: int, status: int, duration_s: float) -> None:
        self.index = index
        self.status = status
        self.duration_s = duration_s


class Attempt:
    """One process tree and its two streams.

    Attributes
    ----------
    out, err
        What came on stdout and stderr.
    cpu_s, max_rss_bytes
        User and system time of the processes waited for, and the size of the largest (RUN-37).
    oom_kills
        How often the kernel has killed for memory in our cgroup meanwhile; counted only where the plan asks.
    step_ends
        How each step ended.
    walk
        What sees that nobody else can change a program that is about to start; None for a program of our own choice.
    """

    def __init__(
        self, plan: Plan, environment: dict[str, str], home: str, log: Log, stopper: Stopper, memory_bytes: int
    ) -> None:
        """`memory_bytes` is the rung of the plan's ladder that this attempt may use, 0 for no limit."""
        self._plan = plan
        self._memory_bytes = memory_bytes
        self._environment = environment
        self._home = home
        self._log = log
        self._stopper = stopper
        self._poll = select.poll()
        self._poll.register(stopper.wakeup, select.POLLIN)
        self._open: dict[int, Stream] = {}
        self._wide: set[int] = set()
        self._echo: dict[int, Echo] = {}
        self._is_over = False
        self.out = Stream(0, STDOUT_TAIL_BYTES, log.forms)
        self.err = Stream(STDERR_HEAD_BYTES, STDERR_TAIL_BYTES, log.forms)
        self.err.count_lines(plan.stderr_allow)
        self.cpu_s = 0.0
        self.max_rss_bytes = 0
        self.oom_kills = 0
        self.step_ends: list[StepEnd] = []
        self.walk: Walk | None = None
        self._is_limited = has_limits(plan)
        self._oom_kills_before = (count_oom_kills() or 0) if plan.limit_memory_bytes else 0
        self._out_end = self._connect(self.out)
        self._err_end = self._connect(self.err)

    def show(self) -> None:
        """Copy the streams to the wrapper's own as they come: somebody watches."""
        from runner.launch.echo import Echo

        self._echo = {descriptor: Echo(1 if stream is self.out else 2) for descriptor, stream in self._open.items()}

    def run(self, steps: list[Step], started: Callable[[int], None]) -> Ending:
        """Run the steps and return how the attempt ended; `started` is called with the pid of each process.

        A step that cannot be executed has failed like any other: what is to run ``always`` runs (RUN-23).
        """
        deadline = time.monotonic() + self._plan.timeout_s if self._plan.timeout_s else float("inf")
        ending = Ending(OK, "", 0)
        try:
            for index, step in enumerate(steps):
                if not should_run(step.condition, failed=ending.outcome != OK):
                    continue
                try:
                    step_ending = self._run_step(index, step.words, deadline, started)
                except CannotStart as cause:
                    step_ending = refuse(cause)
                if ending.outcome == OK:
                    ending = step_ending
                if step_ending.outcome in (TIMED_OUT, STOPPED):
                    return step_ending
        finally:
            posix.close(self._out_end)
            posix.close(self._err_end)
            self._drain()
        return ending

    @property
    def echoes(self) -> list[Echo]:
        """What is still to be shown to whoever watches."""
        return [echo for echo in self._echo.values() if echo.held]

    def close(self) -> None:
        """Give the descriptors back."""
        for descriptor in list(self._open):
            self._forget(descriptor)

    def _connect(self, stream: Stream) -> int:
        read_end, write_end = posix.pipe2(posix.O_CLOEXEC)
        self._open[read_end] = stream
        self._poll.register(read_end, select.POLLIN)
        return write_end

    def _run_step(self, index: int, words: list[str], deadline: float, started: Callable[[int], None]) -> Ending:
        begun = time.monotonic()
        pid = self._spawn(words)
        started(pid)
        pidfd = posix.pidfd_open(pid)
        self._poll.register(pidfd, select.POLLIN)
        try:
            cut_short = self._wait(pid, pidfd, deadline)
        finally:
            self._poll.unregister(pidfd)
            posix.close(pidfd)
        if cut_short:
            self._end_tree(pid)
        status = self._collect(pid)
        self.step_ends.append(StepEnd(index, status, time.monotonic() - begun))
        if cut_short:
            return cut_short
        if status & 0x7F in (_SIGHUP, _SIGINT, _SIGTERM) and not self._stopper.sleep(_SHARED_SIGNAL_S):
            return Ending(STOPPED, REASON_SHUTDOWN, CODE_STOPPED)
        if status & 0x7F != _SIGKILL:
            return judge_status(status)
        kills = count_oom_kills()
        self.oom_kills = (kills or 0) - self._oom_kills_before
        return judge_status(status, kills)

    def _spawn(self, words: list[str]) -> int:
        program = find_program(words[0], self._environment.get("PATH", ""), self._home)
        if self.walk:
            self.walk.require_program(program)
        if self._is_limited:
            return self._spawn_limited(program, words)
        actions = [
            (posix.POSIX_SPAWN_OPEN, 0, "/dev/null", posix.O_RDONLY, 0),
            (posix.POSIX_SPAWN_DUP2, self._out_end, 1),
            (posix.POSIX_SPAWN_DUP2, self._err_end, 2),
        ]
        before = posix.umask(self._plan.umask)
        try:
            return posix.posix_spawn(
                program, words, self._environment,
                file_actions=actions, setsid=True, setsigmask=(), setsigdef=_SIGNALS_TO_DEFAULT,
            )  # fmt: skip
        except OSError as error:
            raise _explain(program, error) from None
        finally:
            posix.umask(before)

    def _spawn_limited(self, program: str, words: list[str]) -> int:
        from runner.launch.limits import list_limits, spawn_limited

        plan = self._plan
        try:
            return spawn_limited(
                self._begin_child, program, words, self._environment,
                list_limits(plan, self._memory_bytes), plan.limit_nice,
            )  # fmt: skip
        except OSError as error:
            raise _explain(program, error) from None

    def _begin_child(self) -> None:
        """Do after a fork what posix_spawn does for a job without limits."""
        import _signal

        posix.setsid()
        posix.dup2(posix.open("/dev/null", posix.O_RDONLY), 0)
        posix.dup2(self._out_end, 1)
        posix.dup2(self._err_end, 2)
        posix.umask(self._plan.umask)
        _signal.set_wakeup_fd(-1)
        for number in _SIGNALS_TO_DEFAULT:
            _signal.signal(number, _signal.SIG_DFL)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, ())

    def _wait(self, pid: int, pidfd: int, deadline: float) -> Ending | None:
        """Pump until the process has ended by itself (None), or return the ending that must be forced upon it."""
        look_at = 0.0
        while True:
            now = time.monotonic()
            if pidfd in self._pump(min(deadline - now, _TICK_S)):
                return None
            if self._stopper.number:
                return Ending(STOPPED, REASON_SHUTDOWN, CODE_STOPPED)
            if now >= deadline:
                return Ending(TIMED_OUT, f"timeout after {self._plan.timeout_s:g} s", CODE_TIMED_OUT)
            if now >= look_at:
                reap_orphans(but=pid)
                look_at = now + _REAP_S

    def _end_tree(self, pid: int) -> None:
        """TERM to the whole tree, what is left after ``grace`` is killed (RUN-31)."""
        from runner.launch import tree

        self._log.write_comment(f"ending the process tree of pid {pid}")
        until = time.monotonic() + self._plan.grace_s
        tree.terminate_group(pid, tree.find_descendants(posix.getpid()))
        while (left := until - time.monotonic()) > 0 and tree.find_descendants(posix.getpid()):
            self._pump(min(left, 0.05))
            reap_orphans(but=pid)
        tree.kill_below(posix.getpid())
        reap_orphans(but=pid)

    def _collect(self, pid: int) -> int:
        _, status, usage = posix.wait4(pid, 0)
        self.cpu_s += usage.ru_utime + usage.ru_stime
        self.max_rss_bytes = max(self.max_rss_bytes, usage.ru_maxrss * 1024)
        return status

    def _drain(self) -> None:
        """Read what the pipes still hold; meet what outlived the job (RUN-29, RUN-33)."""
        ended = time.monotonic()
        self._is_over = True
        looked = self._plan.survivors == "allow"
        while self._open and (left := ended + DRAIN_S - time.monotonic()) > 0:
            self._pump(min(left, 0.05))
            if not looked and time.monotonic() - ended >= SURVIVORS_S:
                looked = True
                self._meet_survivors()
        while not looked and reap_orphans():
            looked = time.monotonic() - ended >= SURVIVORS_S
            if looked:
                self._meet_survivors()
            else:
                time.sleep(0.01)
        for descriptor, stream in self._open.items():
            self._pass_on(descriptor, stream, stream.scrub(b"", is_last=True))
        for stream in (self.out, self.err):
            self._log.write(stream.finish())

    def _meet_survivors(self) -> None:
        """Name what outlived the job; the lines count as stderr, so that the plan's policy judges them."""
        from runner.launch import tree

        survivors = tree.find_descendants(posix.getpid())
        kill = self._plan.survivors == "kill"
        for process in survivors:
            line = f"runner: left behind: {tree.describe(process)}{', killed' if kill else ''}\n"
            line = "\n" + line if self.err.is_inside_line() else line
            self._log.write_pieces(self.err.feed(line.encode("utf-8", "backslashreplace"), time.monotonic()))
        if kill and survivors:
            tree.terminate(survivors)
            until = time.monotonic() + SURVIVORS_S
            while time.monotonic() < until and tree.find_descendants(posix.getpid()):
                self._pump(0.02)
            tree.kill_below(posix.getpid())
            reap_orphans()

    def _pump(self, wait_s: float) -> list[int]:
        """Move what is there for up to `wait_s` seconds; return the descriptors of others that became ready."""
        if self._echo and self._show_more():
            wait_s = min(wait_s, _ECHO_S)
        held = self.out.pending or self.err.pending
        others = []
        for descriptor, _ in self._poll.poll(max(0.0, min(wait_s, LINE_S) if held else wait_s) * 1000):
            if descriptor in self._open:
                self._read(descriptor)
            elif descriptor == self._stopper.wakeup:
                posix.read(descriptor, 512)
            else:
                others.append(descriptor)
        if held:
            self._flush_late()
        return others

    def _read(self, descriptor: int) -> None:
        chunk = posix.read(descriptor, _READ_BYTES)
        stream = self._open[descriptor]
        if not chunk:
            self._forget(descriptor)
        elif len(chunk) == _READ_BYTES and descriptor not in self._wide:
            self._wide.add(descriptor)
            _widen(descriptor)
        self._pass_on(descriptor, stream, stream.scrub(chunk, is_last=not chunk))

    def _pass_on(self, descriptor: int, stream: Stream, shown: bytes) -> None:
        if descriptor in self._echo and shown:
            self._show(descriptor, shown)
        self._log.write_pieces(stream.pass_on(shown, time.monotonic()))

    def _show(self, descriptor: int, chunk: bytes) -> None:
        """Show a piece to whoever watches; while he does not read on, neither do we, until the job is over."""
        echo = self._echo[descriptor]
        echo.show(chunk)
        if echo.held and not self._is_over and descriptor in self._open:
            self._poll.unregister(descriptor)

    def _show_more(self) -> bool:
        """Try to show what is held back; return whether something still is."""
        for descriptor, echo in self._echo.items():
            if echo.held:
                echo.show()
                if (self._is_over or not echo.held) and descriptor in self._open:
                    self._poll.register(descriptor, select.POLLIN)
        return not self._is_over and any(echo.held for echo in self._echo.values())

    def _flush_late(self) -> None:
        now = time.monotonic()
        for stream in (self.out, self.err):
            if stream.is_due(now):
                self._log.write(stream.flush())

    def _forget(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        posix.close(descriptor)
        del self._open[descriptor]


def _widen(pipe: int) -> None:
    """Let a pipe hold more, where the system lets us."""
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _WIDE_PIPE_BYTES)
    except OSError:
        pass


def _explain(program: str, error: OSError) -> CannotStart:
    from runner.launch.refusal import explain_refusal

    return explain_refusal(program, error)
