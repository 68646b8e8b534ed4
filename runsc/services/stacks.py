"""Where each task of a sandbox is, and the sentry itself."""

from __future__ import annotations

from runsc_py.sentry.kernel.task import BLOCKED, DEAD, KERNEL, RUNNING, STOPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import FrameType
    from typing import Any

    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task

STATES = {
    RUNNING: "running",
    KERNEL: "in the kernel",
    BLOCKED: "blocked",
    STOPPED: "stopped",
    DEAD: "dead",
}


def describe_stacks(kernel: Kernel, frame: FrameType | None) -> list[str]:
    """Lines about every task, and the callers of `frame`, which is the sentry's."""
    lines = []
    for task in list(kernel.root_pid_namespace.tasks.values()):
        lines += _describe(task)
    lines.append("sentry:")
    return lines + _frames(frame)


def _describe(task: Task) -> list[str]:
    """A task as `ps` and a debugger would show it."""
    entry = task.syscall
    where = f" in {entry.name}" if entry is not None and task.state in (BLOCKED, KERNEL) else ""
    lines = [
        f"task {task.identifier} of process {task.thread_group.identifier} "
        f"({task.name.decode(errors='replace')}): {STATES[task.state]}{where}"
    ]
    coroutine: Coroutine[Any, Any, Any] | None = task.coroutine
    while coroutine is not None and getattr(coroutine, "cr_frame", None) is not None:
        lines.append(_frame(coroutine.cr_frame))  # type: ignore[attr-defined]
        coroutine = coroutine.cr_await  # type: ignore[attr-defined]
    return lines


def _frames(frame: FrameType | None) -> list[str]:
    """The callers of a frame, outermost first."""
    lines: list[str] = []
    while frame is not None:
        lines.insert(0, _frame(frame))
        frame = frame.f_back
    return lines


def _frame(frame: FrameType) -> str:
    code = frame.f_code
    return f"    {code.co_filename}:{frame.f_lineno} {code.co_qualname}"
