"""Starting and ending processes so that none is left behind, whatever happens to who started it.

Linux ends a child with its parent when the child asks for it (``PR_SET_PDEATHSIG``); elsewhere
these functions work without that promise. Only the standard library is imported, and the module
is also run as a script: :func:`spawn` starts it in place of the wanted program, it makes the
request and becomes the program. Doing the same between fork and exec (``preexec_fn``) can
deadlock in a parent that has threads.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.05


def die_with_parent(*, parent: int | None = None, death_signal: int = signal.SIGKILL) -> None:
    """Have the kernel send ``death_signal`` to this process when its parent ends.

    ``parent`` is the process id of the parent, where it is known from before a fork; if that
    process has ended already, the signal is sent now. The request is not inherited: each child
    makes its own. What counts as the parent's end is the end of the *thread* that forked, so
    fork in a thread that lasts. Does nothing on systems other than Linux.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    expected = os.getppid() if parent is None else parent
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(death_signal), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    if os.getppid() != expected:
        os.kill(os.getpid(), death_signal)


def spawn(
    args: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    cwd: Path | None = None,
    death_signal: int = signal.SIGKILL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program that ends with this process, in a session of its own and without input.

    Signals from the terminal (Ctrl-C) so reach only the caller, who ends its children in its own
    order. Output is appended to ``log``, or goes where the caller's goes. A program that cannot
    be run ends with code 127 and says why in its output.
    """
    if sys.platform.startswith("linux"):
        launcher = (sys.executable, "-I", "-S", __file__)
        args = (*launcher, str(os.getpid()), str(int(death_signal)), *args)
    output = None if log is None else log.open("ab")
    try:
        return subprocess.Popen(
            args,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    finally:
        if output is not None:
            output.close()


def terminate_all(
    processes: Iterable[subprocess.Popen[bytes]],
    *,
    grace: float,
    is_urgent: Callable[[], bool] = lambda: False,
) -> list[subprocess.Popen[bytes]]:
    """End ``processes`` (made by :func:`spawn`) and their groups; return those that were killed.

    Each gets SIGTERM and ``grace`` seconds, all of them at the same time; the wait ends early once
    ``is_urgent()``. What remains of a process's group after that is killed. When this returns,
    every process has been waited for.
    """
    alive = [process for process in processes if process.poll() is None]
    for process in alive:
        with suppress(ProcessLookupError):
            process.terminate()
    deadline = time.monotonic() + grace
    while not is_urgent() and time.monotonic() < deadline:
        if all(process.poll() is not None for process in alive):
            break
        time.sleep(POLL_SECONDS)
    killed = [process for process in alive if process.poll() is None]
    for process in alive:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return killed


def _become(parent: str, death_signal: str, program: str, *args: str) -> None:
    """Become ``program``, bound to the life of ``parent``."""
    die_with_parent(parent=int(parent), death_signal=int(death_signal))
    try:
        os.execvp(program, (program, *args))
    except OSError as error:
        sys.stderr.write(f"{program}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    _become(*sys.argv[1:])
