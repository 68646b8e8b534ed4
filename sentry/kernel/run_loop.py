"""The run loop: the one place where guest code is started and its stops are served.

An iteration takes one event from the platform, serves it, and hands the context back together
with the request for the next event.  A system call that can block is a coroutine; it is left
where it waits and taken up again when it is woken (`kernel/waiting.py`)::

    RUNNING --system call--> KERNEL --result--> (signals, stops) --> RUNNING
                               |  ^
                        await  v  |  woken
                             BLOCKED
"""

from runsc_py.platform.interface import Context, ContextGone, Event
from runsc_py.sentry.abi.signals import SIGKILL
from runsc_py.sentry.errors import ENOSYS, KernelError
from runsc_py.sentry.kernel.exit import TaskEnded, exit_thread_group
from runsc_py.sentry.kernel.pausing import hold
from runsc_py.sentry.kernel.signal_delivery import prepare_return
from runsc_py.sentry.kernel.signal_sending import force_signal
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.task import DEAD, KERNEL, RUNNING, STOPPED, Task
from runsc_py.sentry.kernel.tracing import prepare_traced_return
from runsc_py.sentry.kernel.waiting import Interrupted, MustWait
from runsc_py.sentry.syscalls.table import SyscallTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel

SYSCALL = Event.SYSCALL
#: all argument registers, for a call whose types nobody declared


class RunLoop:
    """Serves every task of a kernel until its init process has ended."""

    __slots__ = ("_entries", "_find", "_kernel")

    def __init__(self, kernel: "Kernel", table: SyscallTable) -> None:
        self._kernel = kernel
        self._entries = table.entries
        #: for a call whose family was not imported yet, or that nobody has
        self._find = table.find
        kernel.find_syscall = table.find

    def run(self) -> None:
        """Return when the init process is gone (or the sandbox was told to end)."""
        kernel = self._kernel
        platform = kernel.platform
        wait = platform.wait
        ready = kernel.ready
        doomed = kernel.doomed
        timers = kernel.timers
        events = kernel.events
        resume: Context | None = None
        while not kernel.finished:
            if ready or doomed:
                if resume is not None:
                    resume.resume()
                resume = self._do_ready()
            elif resume is None and not platform.running:
                events.poll(block=True)
                if kernel.paused:
                    hold(kernel, self._serve)
            else:
                if timers.earliest < events.armed:
                    events.arm()
                context = wait(resume)
                resume = self._serve(context) if context is not None else None
                if context is None:
                    events.poll(block=False)
                    if kernel.paused:
                        hold(kernel, self._serve)

    def _do_ready(self) -> Context | None:
        """Serve who was woken and end who was killed; the last context to run is left to resume."""
        kernel = self._kernel
        kernel.moment += 1
        resume: Context | None = None
        while kernel.doomed:
            exit_thread_group(kernel.doomed.pop(), SIGKILL)
        while kernel.ready and not kernel.finished:
            task = kernel.ready.popleft()
            task.scheduled = False
            if task.state == DEAD:
                continue
            if resume is not None:
                resume.resume()
            if task.coroutine is not None and task.state != STOPPED:
                resume = self._step(task)
            else:
                task.state = KERNEL
                resume = self._return_to_guest(task)
        return resume

    def _serve(self, context: Context) -> Context | None:
        """One stop of a context.  Returns it when it is to run again."""
        task: Task = context.owner  # type: ignore[assignment]
        task.state = KERNEL
        kernel = self._kernel
        kernel.current_task = task
        kernel.moment += 1
        if context.event != SYSCALL:
            return self._serve_other_stop(task, context)
        number = context.number
        entry = self._entries[number] if 0 <= number < SyscallTable.SIZE else None
        if entry is None:
            entry = self._find(number)
        task.syscall = entry
        if task.watched:
            from runsc_py.sentry.kernel.watched_call import watched_call

            task.coroutine = watched_call(task, entry)
            return self._step(task)
        if entry is None:
            kernel.note_unsupported(task, number)
            context.set_result(-ENOSYS.number)
        elif entry.blocking:
            task.coroutine = entry.handler(task, *entry.unpack(context.arguments))  # type: ignore[assignment]
            return self._step(task)
        else:
            try:
                result = entry.handler(task, *entry.unpack(context.arguments))
            except KernelError as error:
                context.set_result(-error.number)
            except OSError as error:
                context.set_result(self._host_error(error))
            except (TaskEnded, ContextGone) as end:
                self._ended(task, end)
                return None
            except Interrupted:
                return self._interrupted(task)
            except MustWait as wait:
                task.coroutine = wait.rest
                return self._step(task)
            else:
                if result is not None:
                    context.set_result(result)  # type: ignore[arg-type]
                else:
                    context = task.context
        if task.attention:
            return self._return_to_guest(task)
        task.state = RUNNING
        return context

    def _step(self, task: Task) -> Context | None:
        """Run a task's coroutine until it waits again or its call is done."""
        coroutine = task.coroutine
        assert coroutine is not None
        kernel = self._kernel
        kernel.current_task = task
        try:
            coroutine.send(None)
        except StopIteration as stop:
            result = stop.value
            if task.returning:
                task.returning = False
                task.coroutine = None
                return None if task.state == DEAD else self._return_to_guest(task)
        except KernelError as error:
            result = -error.number
        except Interrupted as interruption:
            task.restart_pending = True
            task.restart_rule = interruption.restart
            task.attention = True
            result = None
        except OSError as error:
            result = self._host_error(error)
        except (TaskEnded, ContextGone) as end:
            task.coroutine = None
            self._ended(task, end)
            return None
        else:
            if kernel.strace is not None and not task.returning:
                kernel.strace.unfinished(task)
            return None
        task.coroutine = None
        call = task.syscall
        if call is not None and call.transfers and result is not None:
            task.io.count(call.transfers, result)
        if result is not None:
            task.context.set_result(result)
        if not task.restart_pending:
            task.restart_block = None
        return self._return_to_guest(task)

    def _interrupted(self, task: Task) -> Context | None:
        """A call that does not wait was interrupted all the same (a background process and tty)."""
        task.restart_pending = True
        task.restart_rule = None
        task.attention = True
        return self._return_to_guest(task)

    def _serve_other_stop(self, task: Task, context: Context) -> Context | None:
        """A fault, an answered interrupt, or the unexpected end of the host's thread."""
        if context.event == Event.FAULT:
            raw = context.signal_info()
            number = int.from_bytes(raw[:4], "little")
            force_signal(task, SignalInfo(number, raw=raw))
        elif context.event == Event.EXITED:
            self._kernel.log.warning(f"task {task.identifier}: its host thread was killed")
            exit_thread_group(task.thread_group, SIGKILL)
            return None
        return self._return_to_guest(task)

    def _return_to_guest(self, task: Task) -> Context | None:
        """Signals, stops and exits first; then the context may run."""
        try:
            if task.attention:
                if task.tracing is not None:
                    return self._return_traced(task)
                if not prepare_return(task):
                    return None
        except ContextGone as end:
            self._ended(task, end)
            return None
        task.state = RUNNING
        return task.context

    def _return_traced(self, task: Task) -> Context | None:
        """The way back of a traced task can stop: it is a coroutine."""
        task.returning = True
        task.coroutine = prepare_traced_return(task)
        return self._step(task)

    def _ended(self, task: Task, end: TaskEnded | ContextGone) -> None:
        """The call ended the task; or the host did, which counts as SIGKILL."""
        if isinstance(end, ContextGone) and task.state != DEAD:
            exit_thread_group(task.thread_group, SIGKILL)

    def _host_error(self, error: OSError) -> int:
        """A host error that a handler let through: the guest gets its number."""
        if error.errno is None:
            raise error
        return -error.errno
