"""The control calls of a sandbox: arguments checked, then handed to the loader.

A handler takes the call, the descriptors that came with it (those it does not take out of the list
are closed behind it) and the means to answer later.
"""

from __future__ import annotations

from runsc_py.runsc.control import calls
from runsc_py.runsc.control.errors import NOT_FOUND, STATE, ControlError
from runsc_py.runsc.control.server import LATER, ControlServer, Deferred
from runsc_py.runsc.loader.container_process import ContainerProcess
from runsc_py.runsc.loader.gofer_mounts import GoferMountConfiguration
from runsc_py.runsc.loader.loader import (
    SIGKILL,
    STARTED,
    ContainerInformation,
    Loader,
    failing_alone,
)
from runsc_py.runsc.loader.start import execute_in, start_container
from runsc_py.sentry.kernel import pausing
from runsc_py.sentry.kernel.clock import Clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.sentry.kernel.thread_group import ThreadGroup

SECOND = 1_000_000_000


class ContainerManager:
    """Handlers of `containerManager.*` and what goes with them."""

    def __init__(self, loader: Loader, server: ControlServer) -> None:
        self._loader = loader
        self._kernel = loader.kernel
        for kind, handler in (
            (calls.StartRoot, self.start_root),
            (calls.CreateSubcontainer, self.create_subcontainer),
            (calls.AwaitVisits, self.await_visits),
            (calls.StartSubcontainer, self.start_subcontainer),
            (calls.DestroySubcontainer, self.destroy_subcontainer),
            (calls.ExecuteAsync, self.execute),
            (calls.Signal, self.signal),
            (calls.Wait, self.wait),
            (calls.WaitPid, self.wait_pid),
            (calls.WaitProgram, self.wait_program),
            (calls.Processes, self.processes),
            (calls.Event, self.event),
            (calls.Pause, self.pause),
            (calls.Resume, self.resume),
            (calls.LifecyclePause, self.pause),
            (calls.LifecycleResume, self.resume),
            (calls.ContainerRuntimeState, self.state),
            (calls.Subscribe, self.subscribe),
            (calls.Shutdown, self.shutdown),
        ):
            server.register(kind, handler)

    def start_root(self, call: calls.StartRoot, files: list[int], later: Deferred) -> None:
        """Start the root container."""
        loader = self._loader
        if loader.state != "created":
            raise ControlError(
                "sandbox is not in created state, cannot start root container: "
                f"state={loader.state}",
                STATE,
            )
        if call.container_id != loader.sandbox_id:
            raise ControlError(f"{call.container_id!r} is not the root container")
        start_container(loader, loader.root)
        loader.state = STARTED

    def create_subcontainer(
        self, call: calls.CreateSubcontainer, files: list[int], later: Deferred
    ) -> None:
        """Reserve a container."""
        self._loader.create(
            call.container_id, files, call.guest_descriptors, has_executable=call.has_executable
        )
        files.clear()

    def await_visits(self, call: calls.AwaitVisits, files: list[int], later: Deferred) -> None:
        """Keep the descriptor until there is a root directory."""
        entry = self._loader.processes.get((call.container_id, 0))
        if entry is None or entry.group is not None or entry.visits >= 0 or len(files) != 1:
            raise ControlError("one file for a container that is not started is needed")
        entry.visits = files.pop()

    def start_subcontainer(
        self, call: calls.StartSubcontainer, files: list[int], later: Deferred
    ) -> None:
        """Start a reserved container: gVisor's containerManager.StartSubcontainer."""
        loader = self._loader
        if call.spec is None:
            raise ControlError("start arguments missing spec")
        if call.config is None:
            raise ControlError("start arguments missing config")
        if not call.container_id:
            raise ControlError("start argument missing container ID")
        loader.check_started("start subcontainer")
        information = ContainerInformation.decode(
            self._kernel, call.container_id, call.spec, call.config, call.gofer_mounts
        )
        process = information.spec.process
        if process is None:
            raise ControlError("start arguments missing process")
        entry = loader.processes.get((call.container_id, 0))
        takes_files = not process.terminal and not (entry is not None and entry.standard_files)
        check_files(call, len(files), information.layers, takes_files=takes_files)
        information.bundle = call.bundle
        if takes_files and entry is not None:
            entry.standard_files = (files.pop(0), files.pop(0), files.pop(0))
        information.connect(files.pop())
        try:
            with failing_alone(information):
                start_container(loader, information)
        except BaseException as error:
            information.disconnect()
            self._kernel.log.debug(f"start {call.container_id!r}: {error}")
            raise

    def destroy_subcontainer(
        self, call: calls.DestroySubcontainer, files: list[int], later: Deferred
    ) -> None:
        """Kill and forget."""
        self._loader.destroy(call.container_id)

    def execute(self, call: calls.ExecuteAsync, files: list[int], later: Deferred) -> int:
        """One more process."""
        from runsc_py.runsc.loader.identity import look_up_user
        from runsc_py.runsc.loader.programs import LimitedProgram
        from runsc_py.runsc.oci.process import Process
        from runsc_py.runsc.oci.reading import decode

        loader = self._loader
        process, _ = decode(Process, call.process)
        if call.container_id not in loader.containers:
            loader.process(call.container_id)
        information = loader.containers[call.container_id]
        standard = 1 if process.terminal else 3
        count = standard + len(call.guest_descriptors) + call.has_executable
        if len(files) != count:
            raise ControlError(f"exec arguments must contain {count} FDs, but got {len(files)}")
        if call.user:
            identity = look_up_user(loader.walker(information), call.user)
            process.user.uid, process.user.gid = identity.uid, identity.gid
            process.user.additional_gids = [*process.user.additional_gids, *identity.groups]
        program = LimitedProgram(self._kernel, call)
        entry = ContainerProcess.of(
            files, standard, call.guest_descriptors, has_executable=call.has_executable
        )
        files.clear()
        entry.program = program
        return execute_in(loader, information, process, entry)

    def signal(self, call: calls.Signal, files: list[int], later: Deferred) -> None:
        """Deliver a signal."""
        self._loader.signal(call.container_id, call.signal, call.pid, call.mode)

    def wait(self, call: calls.Wait, files: list[int], later: Deferred) -> object:
        """Answer when the container's first process has ended."""
        entry = self._loader.processes.get((call.container_id, 0))
        if (
            entry is not None
            and entry.group is None
            and call.container_id not in self._loader.failed_to_start
        ):
            # Whoever waits from the creation on waits for the start as well.
            self._wait_for_start(call, later)
            return LATER
        group = self._loader.process(call.container_id)
        return self._when_ended(group, later.answer, later, ends=call.ends_with_waiter)

    def _wait_for_start(self, call: calls.Wait, later: Deferred) -> None:
        loader, identifier = self._loader, call.container_id

        def heard(event: calls.EventMessage) -> None:
            if event.container_id != identifier:
                return
            loader.observers.remove(heard)
            if event.kind == "started":
                group = loader.process(identifier)
                self._when_ended(group, later.answer, later, ends=call.ends_with_waiter)
            else:
                later.answer(SIGKILL)

        loader.observers.append(heard)
        later.cancel = lambda: loader.observers.remove(heard)

    def wait_pid(self, call: calls.WaitPid, files: list[int], later: Deferred) -> object:
        """Answer when a process has ended; one of `exec` is forgotten then."""
        if call.pid <= 0:
            raise ControlError(f"invalid PID {call.pid}")
        pid = self._pid_inside(call) if call.in_root else call.pid
        group = self._loader.process(call.container_id, pid)
        key = (call.container_id, pid)

        def answer(status: int) -> None:
            self._loader.processes.pop(key, None)
            later.answer(status)

        return self._when_ended(group, answer, later, ends=call.ends_with_waiter)

    def _pid_inside(self, call: calls.WaitPid) -> int:
        """The container's number of a process, by that of the sandbox's root PID namespace."""
        init = self._loader.process(call.container_id)
        group = self._kernel.root_pid_namespace.thread_group(call.pid)
        if group is None or group.leader.pid_namespace is not init.pid_namespace:
            raise ControlError(f"no process {call.pid} of {call.container_id!r}", NOT_FOUND, 3)
        return group.identifier_in(init.pid_namespace)

    def wait_program(self, call: calls.WaitProgram, files: list[int], later: Deferred) -> object:
        """The same for a program, with what it used and which limit ended it."""
        loader, key = self._loader, (call.container_id, call.pid)
        program = loader.program(*key)

        def answer(status: int) -> None:
            loader.processes.pop(key, None)
            later.answer(program.end(status))

        return self._when_ended(loader.process(*key), answer, later)

    def _when_ended(
        self,
        group: ThreadGroup,
        answer: Callable[[int], None],
        later: Deferred,
        *,
        ends: bool = False,
    ) -> object:
        """Answer then; with `ends`, the process is killed when nobody waits for it any more."""
        waiter = self._loader.when_ended(group, answer)
        if waiter is None:
            return LATER

        def cancel() -> None:
            waiter.cancel()
            if ends:
                self._kernel.doom(group)

        later.cancel = cancel
        return LATER

    def processes(
        self, call: calls.Processes, files: list[int], later: Deferred
    ) -> list[calls.ProcessEntry]:
        """ps."""
        if not call.container_id:
            groups = self._kernel.root_pid_namespace.thread_groups()
            return [_entry(self._kernel.clock, group) for group in groups if group.tasks]
        init = self._loader.process(call.container_id)
        container = self._loader.containers[call.container_id].container
        namespace = init.pid_namespace
        return [
            _entry(self._kernel.clock, group, group.identifier_in(namespace))
            for group in container.living()
        ]

    def event(self, call: calls.Event, files: list[int], later: Deferred) -> calls.ContainerStats:
        """Statistics."""
        return self.statistics(call.container_id)

    def statistics(self, identifier: str) -> calls.ContainerStats:
        """What a container uses at this moment.  Raises ControlError."""
        loader = self._loader
        loader.process(identifier)
        container = loader.containers[identifier].container
        memories = {group.leader.memory for group in container.living()}
        limits = self._kernel.limits.narrowed_by(container.limits)
        return calls.ContainerStats(
            cpu_user=container.cpu_time(),
            cpu_system=0,
            cpu_total=container.cpu_time(),
            memory_usage=sum(memory.resident_set_size() for memory in memories),
            memory_limit=limits.memory or 0,
            pids_current=container.task_count,
            pids_limit=limits.pids or 0,
            containers_cpu={
                name: one.container.cpu_time() for name, one in loader.containers.items()
            },
        )

    def pause(self, call: calls.Call, files: list[int], later: Deferred) -> None:
        """Hold everything."""
        pausing.pause(self._kernel)

    def resume(self, call: calls.Call, files: list[int], later: Deferred) -> None:
        """Let everything go on."""
        pausing.resume(self._kernel)

    def state(self, call: calls.ContainerRuntimeState, files: list[int], later: Deferred) -> str:
        """creating, running or stopped."""
        return self._loader.runtime_state(call.container_id)

    def subscribe(self, call: calls.Subscribe, files: list[int], later: Deferred) -> object:
        """Send events until the client hangs up."""
        from runsc_py.runsc.loader.subscription import Subscription

        Subscription(self._loader, call, later, self.statistics)
        return LATER

    def shutdown(self, call: calls.Shutdown, files: list[int], later: Deferred) -> None:
        """End the sandbox."""
        self._kernel.end("shutdown", "told to end")


def check_files(
    call: calls.StartSubcontainer,
    count: int,
    layers: list[GoferMountConfiguration],
    *,
    takes_files: bool,
) -> None:
    """Whether the descriptors are as many as the arguments say.  Raises ControlError."""
    filestores = sum(layer.has_filestore for layer in layers)
    if call.filestore_count != filestores:
        raise ControlError(
            f"{filestores} gofer filestore files needed, {call.filestore_count} announced"
        )
    if call.filestore_count or call.has_dev_gofer or call.has_upper_archive:
        raise ControlError("filestores, device gofers and upper archives are not supported")
    expected = 1 + 3 * takes_files
    if count < expected:
        raise ControlError(
            f"start arguments must contain at least {expected} FDs, but only got {count}"
        )
    if count > expected:
        raise ControlError(f"start arguments must contain {expected} FDs, but got {count}")


def _entry(clock: Clock, group: ThreadGroup, number: int = 0) -> calls.ProcessEntry:
    """A line of ps."""
    import time

    leader = group.leader
    parent = group.parent
    age = clock.boottime() - group.start_time
    began = time.localtime((clock.realtime() - age) // SECOND)
    used = group.cpu_time()
    elapsed = used // SECOND
    session = group.session
    terminal = getattr(session.terminal, "number", None) if session is not None else None
    return calls.ProcessEntry(
        uid=leader.credentials.uid,
        pid=number or group.identifier,
        parent=parent.identifier if parent is not None else 0,
        threads=len(group.tasks),
        processor=min(used * 100 // age if age else 0, 99),
        terminal="?" if terminal is None else f"pts/{terminal}",
        start_time=time.strftime("%H:%M", began),
        time=f"{elapsed // 3600:02}:{elapsed // 60 % 60:02}:{elapsed % 60:02}",
        command=leader.name.decode(errors="replace"),
    )
