"""Running a program in a task: execve(2).

Everything is prepared in a fresh address space first; only when that has succeeded do the old
one, the other threads and what execve resets go.  A failed execve leaves no trace.
"""

from runsc_py.sentry.abi.elf import (
    AT_BASE,
    AT_CLKTCK,
    AT_EGID,
    AT_ENTRY,
    AT_EUID,
    AT_FLAGS,
    AT_GID,
    AT_HWCAP,
    AT_HWCAP2,
    AT_MINSIGSTKSZ,
    AT_PAGESZ,
    AT_PHDR,
    AT_PHENT,
    AT_PHNUM,
    AT_SECURE,
    AT_SYSINFO_EHDR,
    AT_UID,
    PROGRAM_HEADER,
)
from runsc_py.sentry.abi.memory import (
    MAP_ANONYMOUS,
    MAP_FIXED_NOREPLACE,
    MAP_GROWSDOWN,
    MAP_PRIVATE,
    MAP_STACK,
    PAGE_SIZE,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
    SYS_MMAP,
    page_down,
    page_up,
)
from runsc_py.sentry.abi.mount_flags import MS_NOEXEC
from runsc_py.sentry.abi.ptrace import PTRACE_EVENT_EXEC
from runsc_py.sentry.abi.signals import SI_USER, SIGTRAP, SS_DISABLE
from runsc_py.sentry.errors import EACCES, ELOOP, ENOENT, ETXTBSY, KernelError
from runsc_py.sentry.kernel.exec_credentials import apply_credentials, new_credentials
from runsc_py.sentry.kernel.exit import exit_task, release_user_state
from runsc_py.sentry.kernel.limits import RLIM_INFINITY, RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK
from runsc_py.sentry.kernel.posix_timers import delete_posix_timers
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.time_namespace import enter_for_children, freeze
from runsc_py.sentry.loader.elf import (
    ElfImage,
    LoadedImage,
    checked,
    load_image,
    open_interpreter,
    read_head,
)
from runsc_py.sentry.loader.initial_stack import InitialStack, check_sizes
from runsc_py.sentry.loader.script import MAX_DEPTH, parse_script
from runsc_py.sentry.mm.memory_manager import MemoryManager
from runsc_py.sentry.vfs.attributes import S_IFMT, S_IFREG
from runsc_py.sentry.vfs.open_file import O_RDONLY, OpenFile
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.permissions import MAY_EXECUTE, check
from runsc_py.sentry.vfs.usage import is_open_for_writing
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.platform.interface import Context
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task

#: where position-independent programs go, before randomisation (Linux's ELF_ET_DYN_BASE)
PROGRAM_BASE = 0x555555554000
#: the stack to begin with; it grows on demand
INITIAL_STACK_SIZE = 33 * PAGE_SIZE
#: entropy of addresses, in pages
PROGRAM_ENTROPY_BITS = 24
STACK_ENTROPY_BITS = 10
HEAP_ENTROPY_BITS = 12
ADDR_NO_RANDOMIZE = 0x0040000
MINIMUM_SIGNAL_STACK = 3632
CLOCK_TICKS = 100
#: limits that the host enforces on a stub, and the soft value that stubs are made with
HOST_ENFORCED = (
    (RLIMIT_AS, RLIM_INFINITY),
    (RLIMIT_DATA, RLIM_INFINITY),
    (RLIMIT_STACK, 8 * 1024 * 1024),
)
INITIAL_FLAGS = 0x202
USER_CS = 0x33
USER_SS = 0x2B


class Program:
    """A program to run, with `#!` resolved: the file, and the arguments it gets."""

    __slots__ = ("arguments", "environment", "file", "file_name", "head", "name", "path")

    def __init__(
        self,
        file: OpenFile,
        file_name: bytes,
        arguments: list[bytes],
        environment: list[bytes],
    ) -> None:
        self.file = file
        self.path: Path = file.path
        #: what the caller named: AT_EXECFN and a script's last argument
        self.file_name = file_name
        #: comm, before it is cut
        self.name = file_name.rsplit(b"/", 1)[-1]
        self.arguments = arguments
        self.environment = environment
        self.head = read_head(file)


class NewImage:
    """A loaded program, not yet put in force."""

    __slots__ = ("context", "credentials", "entry", "memory", "program", "secure", "stack_pointer")

    def __init__(
        self,
        context: "Context",
        memory: MemoryManager,
        program: Program,
        credentials: "Credentials",
        secure: bool,
    ) -> None:
        self.context = context
        self.memory = memory
        self.program = program
        #: those that the program runs with, and whether that is AT_SECURE
        self.credentials = credentials
        self.secure = secure
        self.entry = 0
        self.stack_pointer = 0

    def discard(self) -> None:
        """Nobody runs it."""
        self.context.exit()
        self.memory.release()


def open_executable(task: "Task", path: Path) -> OpenFile:
    """Open a file to execute it.

    Errors: EACCES for what is no executable regular file, ETXTBSY while somebody may write it.
    """
    inode = path.inode
    if inode.mode & S_IFMT != S_IFREG or path.mount.flags & MS_NOEXEC:
        raise EACCES
    check(task.credentials, inode, MAY_EXECUTE)
    if not inode.permission_ids()[0] & 0o111:
        raise EACCES
    if is_open_for_writing(task.kernel, inode):
        raise ETXTBSY
    return inode.open(task, path, O_RDONLY).acquire()


def execute(
    task: "Task",
    path: Path,
    file_name: bytes,
    arguments: list[bytes],
    environment: list[bytes],
    *,
    hidden: bool = False,
    by_descriptor: bool = False,
) -> None:
    """Replace the task's program.

    `file_name` is the name that a script or AT_EXECFN is told; when it is `hidden` from the new
    program, a script is ENOENT.  When only a descriptor was named, comm is the file's own name.
    Errors: those of execve(2).
    """
    image = load_program(task, path, file_name, arguments, environment, hidden=hidden)
    if by_descriptor:
        image.program.name = image.program.path.dentry.name
    _put_in_force(task, image)
    if image.secure:
        task.parent_death_signal = 0  # the parent is not to signal who has more rights


def load_program(
    task: "Task",
    path: Path,
    file_name: bytes,
    arguments: list[bytes],
    environment: list[bytes],
    *,
    hidden: bool = False,
) -> NewImage:
    """All of `execute` that can fail, which changes nothing of the task."""
    opened: list[OpenFile] = []
    try:
        program = _resolve(task, path, file_name, arguments, environment, opened, hidden)
        check_sizes(program.arguments, environment, task.thread_group.limits.get(RLIMIT_STACK)[0])
        credentials, secure = new_credentials(task, program.path)
        return _load(task, program, credentials, secure, opened)
    finally:
        for file in opened:
            file.drop()


def _resolve(
    task: "Task",
    path: Path,
    file_name: bytes,
    arguments: list[bytes],
    environment: list[bytes],
    opened: list[OpenFile],
    hidden: bool,
) -> Program:
    """Follow `#!` lines to the program that the host processor can run."""
    arguments = arguments or [b""]
    first_name = file_name
    for _ in range(MAX_DEPTH + 1):
        file = open_executable(task, path)
        opened.append(file)
        program = Program(file, first_name, arguments, environment)
        if program.head[:2] != b"#!":
            return program
        interpreter, argument = parse_script(program.head)
        if hidden:
            raise ENOENT
        arguments = [
            interpreter,
            *([argument] if argument is not None else []),
            file_name,
            *arguments[1:],
        ]
        file_name = interpreter
        path = walk(task, interpreter)
    raise ELOOP


def _load(
    task: "Task",
    program: Program,
    credentials: "Credentials",
    secure: bool,
    opened: list[OpenFile],
) -> NewImage:
    """Build the new address space; it is gone again if that fails."""
    image = ElfImage(program.file, program.head)
    interpreter: ElfImage | None = None
    if image.interpreter is not None:
        file = open_executable(task, walk(task, image.interpreter))
        opened.append(file)
        interpreter = open_interpreter(file)
    context = task.kernel.platform.new_address_space()
    memory = MemoryManager(task.kernel, context.address_space)
    new = NewImage(context, memory, program, credentials, secure)
    try:
        _load_into(task, new, image, interpreter)
    except KernelError:
        context.exit()
        raise
    return new


def _load_into(task: "Task", new: NewImage, image: ElfImage, interpreter: ElfImage | None) -> None:
    kernel, context, memory, program = task.kernel, new.context, new.memory, new.program
    random = not task.extras.get("personality", 0) & ADDR_NO_RANDOMIZE
    _apply_limits(task, memory)
    base = PROGRAM_BASE + (_random_pages(task, PROGRAM_ENTROPY_BITS) if random else 0)
    loaded = load_image(context, memory, image, base)
    memory.executable = program.path
    memory.user_namespace = new.credentials.user_namespace
    memory.code_range, memory.data_range = loaded.code_range, loaded.data_range
    _note_file(memory, program.file)
    start = loaded
    if interpreter is not None:
        start = load_image(context, memory, interpreter, 0)
        _note_file(memory, interpreter.file)
    memory.brk_start = memory.brk_end = page_up(loaded.end) + (
        _random_pages(task, HEAP_ENTROPY_BITS) if random else 0
    )
    top = _stack_top(task, random)
    stack = InitialStack(
        top,
        program.arguments,
        program.environment,
        _auxiliary(new, loaded, start if interpreter is not None else None),
        program.file_name,
        kernel.random(16),
    )
    _map_stack(context, stack.pointer, top, image.executable_stack)
    memory.copy_out(stack.pointer, stack.image)
    memory.stack_start = stack.pointer
    memory.arguments_range = stack.arguments
    memory.environment_range = stack.environment
    memory.auxiliary = stack.auxiliary
    new.entry, new.stack_pointer = start.entry, stack.pointer


def _apply_limits(task: "Task", memory: MemoryManager) -> None:
    """Hand limits on mappings to the host, unless they are what it starts with."""
    limits = task.thread_group.limits
    for resource, default in HOST_ENFORCED:
        soft = limits.soft(resource)
        if soft != default:
            memory.set_limit(resource, soft)


def _note_file(memory: MemoryManager, file: OpenFile) -> None:
    descriptor = file.host_descriptor()
    if descriptor is not None:
        memory.note_mapped_file(descriptor, file.path)


def _random_pages(task: "Task", bits: int) -> int:
    value = int.from_bytes(task.kernel.random(4), "little")
    return (value & ((1 << bits) - 1)) * PAGE_SIZE


def _stack_top(task: "Task", random: bool) -> int:
    """In the gap that the host keeps free of mappings for the stack to grow into."""
    top = task.kernel.options.stack_ceiling
    if random:
        top -= _random_pages(task, STACK_ENTROPY_BITS)
    return top


def _map_stack(context: "Context", pointer: int, top: int, executable: bool) -> None:
    protection = PROT_READ | PROT_WRITE | (PROT_EXEC if executable else 0)
    bottom = page_down(pointer) - INITIAL_STACK_SIZE
    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_STACK | MAP_FIXED_NOREPLACE
    checked(context.execute(SYS_MMAP, bottom, page_up(top) - bottom, protection, flags, -1, 0))


def _auxiliary(
    new: NewImage, program: LoadedImage, interpreter: LoadedImage | None
) -> list[tuple[int, int]]:
    """getauxval(3).  Ids are those of the task's user namespace."""
    kernel, credentials = new.memory.kernel, new.credentials
    capabilities, capabilities2 = kernel.options.hardware_capabilities
    namespace = credentials.user_namespace
    vector = [
        (AT_MINSIGSTKSZ, MINIMUM_SIGNAL_STACK),
        (AT_HWCAP, capabilities),
        (AT_PAGESZ, PAGE_SIZE),
        (AT_CLKTCK, CLOCK_TICKS),
        (AT_PHDR, program.header_address),
        (AT_PHENT, PROGRAM_HEADER.size),
        (AT_PHNUM, program.image.header_count),
        (AT_BASE, interpreter.bias if interpreter is not None else 0),
        (AT_FLAGS, 0),
        (AT_ENTRY, program.entry),
        (AT_UID, namespace.uid_map.map_to_namespace(credentials.uid)),
        (AT_EUID, namespace.uid_map.map_to_namespace(credentials.euid)),
        (AT_GID, namespace.gid_map.map_to_namespace(credentials.gid)),
        (AT_EGID, namespace.gid_map.map_to_namespace(credentials.egid)),
        (AT_SECURE, int(new.secure)),
        (AT_HWCAP2, capabilities2),
    ]
    if kernel.platform.vdso_address:
        vector.insert(0, (AT_SYSINFO_EHDR, kernel.platform.vdso_address))
    return vector


def _put_in_force(task: "Task", image: NewImage) -> None:
    """The point of no return: the other threads end, the task takes up the new program."""
    group = task.thread_group
    former = task.identifiers
    _become_only_thread(task)
    release_user_state(task)
    old_memory, old_context = task.memory, task.context
    if old_memory.huge_pages_disabled or "time_stamp_counter" in task.extras:
        from runsc_py.sentry.kernel.host_settings import carry_over

        carry_over(task, image.context)
    task.system_time()  # what the old context has cost
    group.leave_host_process()
    task.context = image.context
    image.context.owner = task
    image.memory.inherit_policies(old_memory)
    image.memory.dump_filter = old_memory.dump_filter
    task.memory = image.memory
    old_context.exit()
    old_memory.release()
    delete_posix_timers(group)
    if task.user_dispatch is not None:
        task.user_dispatch = None
        task.watched = task.is_observed() or task.tracing is not None
    task.alternate_stack = (0, SS_DISABLE, 0)
    take_up(task, image)
    if task.tracing is not None:
        _report_to_tracer(task, former)


def take_up(task: "Task", image: NewImage) -> None:
    """What a program begins with, in a task that has its memory and its context."""
    group = task.thread_group
    task.namespaces = enter_for_children(task.namespaces, task.memory)
    if task.namespaces.time is not task.kernel.root_time_namespace:
        freeze(task.namespaces.time, task.memory)
    group.handlers = group.handlers.for_exec()
    group.did_exec = True
    task.name = image.program.name[:15]
    apply_credentials(task, image.program.path, image.credentials, image.memory)
    if task.files.users > 1:
        shared, task.files = task.files, task.files.fork(group.limits)
        shared.release(task)
    task.files.close_for_exec(task)
    registers = image.context.registers
    registers.rip = image.entry
    registers.rsp = image.stack_pointer
    registers.eflags = INITIAL_FLAGS
    registers.cs = USER_CS
    registers.ss = USER_SS
    registers.ds = registers.es = 0
    image.context.set_registers_changed()


def _report_to_tracer(task: "Task", former: "dict[PidNamespace, int]") -> None:
    """PTRACE_O_TRACEEXEC, with the thread's number before; without it a SIGTRAP, unless seized."""
    tracing = task.tracing
    assert tracing is not None
    if tracing.wants(PTRACE_EVENT_EXEC):
        number = former.get(tracing.tracer.pid_namespace, 0)
        tracing.events.append((PTRACE_EVENT_EXEC, number))
    elif not tracing.seized:
        task.pending.add(SignalInfo(SIGTRAP, SI_USER, task.identifier))
    task.attention = True


def _become_only_thread(task: "Task") -> None:
    """The other threads end; the one that stays has the identity of the leader."""
    group = task.thread_group
    leader = group.leader
    if leader is not task and leader.tracing is not None:
        leader.tracing.detach()  # its number lives on: nobody hears of its end
    for other in list(group.tasks):
        if other is not task:
            exit_task(other, 0)
    if leader is task:
        return
    task.pid_namespace.unregister(task)
    task.identifiers = leader.identifiers
    task.identifier = leader.identifier
    for namespace, number in task.identifiers.items():
        namespace.tasks[number] = task
    task.start_time = leader.start_time
    group.leader = task
