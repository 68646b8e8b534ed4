"""Tasks without guests that make system calls on pipes, sockets and event files.

`IoTask` has a memory of its own and a descriptor table; its handlers are the real ones.  `call`
runs a handler to its end, `start` leaves it where it blocks, and `IoWorld.settle` resumes who
was woken, which stands in for the run loop.
"""

import errno
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast

from harness.file_world import FakeKernel
from runsc_py.sentry.abi.signals import bit
from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES
from runsc_py.sentry.auth.credentials import Credentials
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.errors import EFAULT, KernelError
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.kernel.clock import Clock
from runsc_py.sentry.kernel.fd_table import FdTable
from runsc_py.sentry.kernel.file_context import FileContext
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.kernel.limits import Limits
from runsc_py.sentry.kernel.signals import PendingSignals, SignalInfo
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.timers import Timers
from runsc_py.sentry.kernel.waiting import Interrupted, WaitQueue
from runsc_py.sentry.socket.namespace import NetworkNamespace
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.open_file import OpenFile
from runsc_py.sentry.vfs.path import Dentry

Handler = Callable[..., int | Coroutine[Any, Any, int]]


class FakeClock(Clock):
    """Clocks that stand still until a test moves them."""

    __slots__ = ("now",)

    EPOCH = 1_700_000_000_000_000_000

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def monotonic(self) -> int:
        return self.now

    def boottime(self) -> int:
        return self.now

    def realtime(self) -> int:
        return self.EPOCH + self.now

    def read(self, identifier: int) -> int | None:
        return self.realtime() if identifier == 0 else self.now


class FakeMemory:
    """Guest memory: one area, given out from the bottom."""

    BASE = 0x10000
    SIZE = 1 << 22

    def __init__(self) -> None:
        self._bytes = bytearray(self.SIZE)
        self._used = 0
        #: handlers that move much ask the platform directly
        self.address_space = self

    def allocate(self, content: bytes | int) -> int:
        """The address of fresh memory with this content, or of so many zero bytes."""
        data = bytes(content) if isinstance(content, int) else content
        address = self.BASE + self._used
        self._used += (len(data) + 15) & ~15
        if self._used > self.SIZE:
            self._used = (len(data) + 15) & ~15
            address = self.BASE
        self.copy_out(address, data)
        return address

    def _offset(self, address: int, size: int) -> int:
        if not self.BASE <= address <= self.BASE + self.SIZE - size:
            raise EFAULT
        return address - self.BASE

    def copy_in(self, address: int, size: int) -> bytes:
        offset = self._offset(address, size)
        return bytes(self._bytes[offset : offset + size])

    copy_in_part = copy_in

    def read_into(self, address: int, buffer: bytearray) -> None:
        buffer[:] = self.copy_in(address, len(buffer))

    def copy_out(self, address: int, data: bytes | memoryview) -> None:
        offset = self._offset(address, len(data))
        self._bytes[offset : offset + len(data)] = data

    def copy_out_part(self, address: int, data: bytes | memoryview) -> int:
        self.copy_out(address, data)
        return len(data)


class FakeThreadGroup:
    """What of a process the handlers look at."""

    def __init__(self, identifier: int) -> None:
        self.identifier = identifier
        self.limits = Limits()
        self.pending = PendingSignals()

    def identifier_in(self, namespace: object) -> int:
        return self.identifier


class IoTask:
    """A thread whose system calls a test makes."""

    def __init__(self, world: "IoWorld", uid: int, identifier: int) -> None:
        capabilities = ALL_CAPABILITIES if uid == 0 else 0
        self.world = world
        self.kernel = world.kernel
        self.credentials = Credentials(
            uid=uid,
            gid=uid,
            user_namespace=UserNamespace.initial(),
            permitted=capabilities,
            effective=capabilities,
        )
        self.memory = FakeMemory()
        self.thread_group = FakeThreadGroup(identifier)
        self.files = FdTable(self.thread_group.limits)
        self.file_context = FileContext(world.root, world.root, 0o022)
        self.pid_namespace = world
        self.namespaces = world.namespaces
        self.pending = PendingSignals()
        self.signal_mask = 0
        self.saved_mask: int | None = None
        self.extras: dict[str, Any] = {}
        self.restart_block: int | None = None
        self.sent_signals: list[int] = []
        self.scheduled = False
        self.woken_by_queue = False
        self.woken_by_timeout = False
        self.running: Coroutine[Any, Any, int] | None = None
        #: what the last started call returned; None while it blocks
        self.result: int | None = None

    # -- what handlers use ---------------------------------------------------------------

    def send_signal(self, info: SignalInfo) -> None:
        self.sent_signals.append(info.number)

    def dequeue_signal(self, mask: int) -> SignalInfo | None:
        return self.pending.take(mask)

    def must_interrupt(self, interruptible: bool) -> bool:
        return bool(self.pending.mask & ~self.signal_mask)

    def set_temporary_signal_mask(self, mask: int) -> None:
        self.saved_mask = self.signal_mask
        self.signal_mask = mask

    def restore_signal_mask(self) -> None:
        if self.saved_mask is not None:
            self.signal_mask, self.saved_mask = self.saved_mask, None

    def start_wait(self, interruptible: bool) -> None:
        self.woken_by_queue = self.woken_by_timeout = False

    def end_wait(self) -> None:
        self.scheduled = False

    def wake(self, events: int) -> None:
        self.woken_by_queue = True
        self.schedule()

    def wake_by_timer(self) -> None:
        self.woken_by_timeout = True
        self.schedule()

    def schedule(self) -> None:
        if self.running is not None and not self.scheduled:
            self.scheduled = True
            self.world.ready.append(self)

    # -- what tests use ------------------------------------------------------------------

    def interrupt(self, number: int) -> None:
        """A signal arrives."""
        self.pending.add(SignalInfo(number))
        if bit(number) & ~self.signal_mask:
            self.schedule()

    def start(self, handler: Handler, *arguments: int) -> int | None:
        """Make a system call; None when it blocks.  Errors come as negative numbers."""
        self.world.kernel_state.current_task = self
        self.result = None
        try:
            outcome = handler(self, *arguments)
        except KernelError as error:
            self.result = -error.number
            return self.result
        if isinstance(outcome, int):
            self.result = outcome
        else:
            self.running = outcome
            self.step()
        return self.result

    def step(self) -> None:
        """Go on with the call that blocks."""
        self.world.kernel_state.current_task = self
        assert self.running is not None
        try:
            self.running.send(None)
            return
        except StopIteration as stop:
            self.result = stop.value
        except KernelError as error:
            self.result = -error.number
        except OSError as error:
            self.result = -(error.errno or errno.EIO)
        except Interrupted:
            self.result = -errno.EINTR
        self.running = None

    def call(self, handler: Handler, *arguments: int) -> int:
        """Make a system call that must not block."""
        result = self.start(handler, *arguments)
        assert result is not None, "the call blocks"
        self.world.settle()
        return result

    def put(self, content: bytes | int) -> int:
        """Fresh guest memory."""
        return self.memory.allocate(content)

    def get(self, address: int, size: int) -> bytes:
        return self.memory.copy_in(address, size)

    def file(self, fd: int) -> OpenFile:
        return self.files.get(fd)

    def fork(self) -> "IoTask":
        """Another process with the same descriptors."""
        child = self.world.new_task(self.credentials.uid)
        child.files = self.files.fork()
        return child


class IoWorld:
    """A kernel, a tmpfs as the root, and tasks."""

    def __init__(self) -> None:
        state = FakeKernel()
        self.kernel_state = cast(Any, state)
        self.clock = FakeClock()
        self.timers = Timers()
        self.kernel_state.clock = self.clock
        self.kernel_state.timers = self.timers
        self.kernel_state.signal_queue = WaitQueue()
        self.kernel_state.random = lambda size: bytes(size)
        self.kernel = cast(Kernel, state)
        tree = Tmpfs(self.kernel)
        self.root = Mount(2, tree, Dentry(b"", None, tree.root), 0).root_path
        self.namespaces = type("Namespaces", (), {})()
        self.namespaces.network = NetworkNamespace(self.kernel, UserNamespace.initial())
        self.ready: deque[IoTask] = deque()
        self.tasks: dict[int, IoTask] = {}
        self._last_identifier = 0

    def new_task(self, uid: int = 0) -> IoTask:
        """A process of its own."""
        self._last_identifier += 1
        task = IoTask(self, uid, self._last_identifier)
        self.tasks[self._last_identifier] = task
        return task

    def thread_group(self, identifier: int) -> FakeThreadGroup | None:
        """As a PID namespace finds processes."""
        task = self.tasks.get(identifier)
        return None if task is None else task.thread_group

    def settle(self) -> None:
        """Resume who was woken until everybody blocks again."""
        while self.ready:
            self.ready.popleft().step()

    def advance(self, nanoseconds: int) -> None:
        """Let time pass."""
        self.clock.now += nanoseconds
        self.timers.run_due(self.clock.now)
        self.settle()


def as_task(task: IoTask) -> Task:
    """The task as the sentry's types know it."""
    return cast(Task, task)
