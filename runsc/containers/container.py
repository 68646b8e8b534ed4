"""What the commands of a container engine do with a container that exists.

Every change of state is made under the container's lock and written down before the lock is given
back.  Reading (`state`, `list`, `ps`, `events`) takes no lock: a hook may ask for the state of the
container that is being created.
"""

import os
from errno import ESRCH

from runsc_py.runsc.containers import cgroups
from runsc_py.runsc.containers.hooks import run_hooks, run_poststop_hooks
from runsc_py.runsc.containers.host_process import SIGKILL
from runsc_py.runsc.containers.record import ContainerRecord
from runsc_py.runsc.containers.status import CREATED, CREATING, PAUSED, RUNNING, STOPPED
from runsc_py.runsc.containers.store import NoSuchContainer, StateDirectory
from runsc_py.runsc.containers.waiting import KILLED, exit_status
from runsc_py.runsc.control.errors import CLOSED, STATE, ControlError
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.runsc.containers.host_process import HostProcess
    from runsc_py.runsc.control.client import ControlClient
    from runsc_py.runsc.runtime_log import RuntimeLog

#: seconds that a killed process gets to be gone
GRACE = 10.0
#: seconds that a control call may take when a sandbox is being taken down
PATIENCE = 5.0


class Container:
    """A container of a state directory."""

    def __init__(self, store: StateDirectory, record: ContainerRecord, log: "RuntimeLog") -> None:
        self._store = store
        self._log = log
        self.record = record

    @classmethod
    def load(cls, root: str, abbreviation: str, log: "RuntimeLog") -> "Container":
        """The one meant.  Raises RunscError."""
        store = StateDirectory(root)
        container = cls(store, store.load(abbreviation), log)
        container._catch_up()
        return container

    def _catch_up(self) -> None:
        """A `start` that was killed may not have come to writing down what it did."""
        if self.record.current_status() != CREATED:
            return
        from runsc_py.runsc.control import calls

        try:
            with self.client(PATIENCE) as client:
                if client.state(self.identifier) == calls.RUNNING:
                    self.record.become(RUNNING)
        except ControlError:
            return  # it is about to end, or busy: what is written down will do

    @property
    def identifier(self) -> str:
        """Its whole name."""
        return self.record.identifier

    def client(self, timeout: float | None = None) -> "ControlClient":
        """A connection to its sandbox.  Raises ControlError (CLOSED) when that is gone."""
        from runsc_py.runsc.control.client import ControlClient

        try:
            return ControlClient(self._store.socket_path(self.record.sandbox_id), timeout)
        except ControlError as error:
            if error.code != CLOSED:
                raise
            text = f"the sandbox of container '{self.identifier}' does not run any more"
            raise ControlError(text, CLOSED, error.errno) from None

    def _reload(self) -> str:
        """Under the lock: what is written down now, and the status it means."""
        self.record = self._store.load(self.identifier)
        self._catch_up()
        return self.record.current_status()

    def _become(self, status: str) -> None:
        self.record.become(status)
        self._store.save(self.record)

    # -- start and end -------------------------------------------------------------------------

    def start(self) -> None:
        """Run the program of a created container; then the poststart hooks.  Raises RunscError.

        A start that fails is the end of the container, which is then to be deleted.
        """
        with self._store.locked(self.identifier):
            status = self._reload()
            if status == STOPPED:
                raise RunscError("cannot start a container that has stopped")
            if status in (RUNNING, PAUSED):
                raise RunscError("cannot start an already running container")
            if status != CREATED:
                raise RunscError(f"cannot start a container in the {status} state")
            try:
                self._start()
                self._become(RUNNING)
                run_hooks(self.record, "poststart", self.record.oci_state())
            except BaseException:
                self._end_processes()
                raise

    def _start(self) -> None:
        with self.client() as client:
            if self.record.is_root:
                client.start_root(self.identifier)
            else:
                self._start_subcontainer(client)

    def _start_subcontainer(self, client: "ControlClient") -> None:
        from runsc_py.runsc.config import Config
        from runsc_py.runsc.control.calls import StartSubcontainer
        from runsc_py.runsc.oci.reading import decode_spec
        from runsc_py.runsc.sandbox_process import start_subcontainer_gofer

        record = self.record
        sandbox = record.sandbox
        assert sandbox is not None
        content = encode(without_sandbox_namespace(record.spec, sandbox.pid)).encode()
        config = Config.from_dict(record.config)
        root = self._store.load(record.sandbox_id)
        gofer = start_subcontainer_gofer(decode_spec(content), config, root.annotations)
        try:
            call = StartSubcontainer(
                self.identifier, content, record.config, gofer.gofer_mounts, bundle=record.bundle
            )
            client.start_subcontainer(call, [gofer.descriptor])
        finally:
            os.close(gofer.descriptor)

    def delete(self, *, force: bool) -> None:
        """Forget a container that has stopped, or kill it first.  Raises RunscError."""
        with self._store.locked(self.identifier):
            status = self._reload()
            if status not in (STOPPED, CREATED) and not force:
                raise RunscError(
                    f"cannot delete container {self.identifier} that is not stopped: {status}"
                )
            self.destroy()

    def destroy(self) -> None:
        """Under the lock: leave nothing, whatever fails on the way.  Raises RunscError then."""
        problems = []
        try:
            self._end_processes()
        except RunscError as error:
            problems.append(str(error))
        left = cgroups.remove_groups(self.record.cgroups)
        problems += [f"cannot remove control group {directory}" for directory in left]
        self._store.remove(self.identifier)
        state = {**self.record.oci_state(), "status": STOPPED, "pid": 0}
        # Nothing is left that a second delete could find: they run once.
        for problem in run_poststop_hooks(self.record, state):
            self._log.warning(problem)
        if problems:
            raise RunscError("; ".join(problems))

    def _end_processes(self) -> None:
        """Kill what there is of the container; a sandbox, when it owns one."""
        record = self.record
        if not record.is_root and record.sandbox is not None and record.sandbox.is_alive():
            try:
                with self.client(PATIENCE) as client:
                    client.destroy_subcontainer(self.identifier)
            except ControlError as error:
                if error.code != CLOSED:
                    self._log.warning(f"destroying container {self.identifier}: {error}")
        process = record.process
        if process is None:
            return
        # A waiting process of a subcontainer ends by itself, with the container's status.
        if not record.is_root and process.wait(PATIENCE):
            return
        process.kill(SIGKILL)
        self._await(process)

    def wait(self) -> int:
        """Wait for its end, or look that up; its status as a shell has it.  Raises RunscError."""
        if self.record.current_status() != STOPPED:
            try:
                with self.client() as client:
                    return exit_status(client.wait(self.identifier))
            except ControlError as error:
                if error.code != CLOSED:
                    raise
            # The sandbox has ended meanwhile, and writes down how before it is gone.
            if self.record.process is not None:
                self.record.process.wait(GRACE)
        ending = self._store.exit_record(self.identifier)
        return ending.status if ending is not None else KILLED

    # -- signals -------------------------------------------------------------------------------

    def kill(self, number: int, *, everyone: bool, pid: int = 0, mode: str = "") -> None:
        """Send a signal to the first process, all, one or a group.  Raises RunscError.

        `mode` as in calls.Signal; one process when it is empty.
        """
        status = self.record.current_status()
        if status == STOPPED:
            if everyone:
                return
            raise RunscError("container not running")
        if status == CREATING:
            raise RunscError("cannot signal a container that is being created")
        process = self.record.process
        if number == SIGKILL and status != RUNNING and self.record.is_root:
            # Nothing runs in there that could be told.
            if process is not None:
                process.kill(number)
            return
        from runsc_py.runsc.control.calls import TO_ALL, TO_PROCESS

        whom = TO_ALL if everyone else mode or TO_PROCESS
        try:
            with self.client() as client:
                client.signal(self.identifier, number, pid, whom)
        except ControlError as error:
            # It has just ended, though what stands for it on the host may not have yet: engines
            # know these words.
            if error.code != CLOSED and (error.code != STATE or error.errno != ESRCH):
                raise
            raise RunscError("container not running") from None
        if everyone and number == SIGKILL and status == RUNNING and process is not None:
            # Who kills everything wants to hear that it is gone.
            self._await(process)

    def _await(self, process: "HostProcess") -> None:
        if not process.wait(GRACE):
            raise RunscError(f"process {process.pid} of container {self.identifier} does not end")

    # -- limits --------------------------------------------------------------------------------

    def update(self, changes: "dict[str, Any]") -> list[str]:
        """Change `linux.resources`; what is to be warned about.  Raises RunscError."""
        from runsc_py.runsc.containers.resource_settings import updated

        with self._store.locked(self.identifier):
            if self._reload() == STOPPED:
                raise RunscError("container not running")
            linux = self.record.spec.setdefault("linux", {})
            merged = updated(linux.get("resources") or {}, changes)
            problems = cgroups.apply(self.record.cgroups, merged)
            # A container that comes to a sandbox is not known there before it starts.
            if self.record.is_root or self.record.status != CREATED:
                cpu = changes.get("cpu") or {}
                with self.client() as client:
                    client.update(
                        *cgroups.sentry_limits(changes),
                        (cpu.get("quota") or None, cpu.get("period") or None),
                        self.identifier,
                    )
            linux["resources"] = merged
            self._store.save(self.record)
        return problems

    # -- pause and resume ----------------------------------------------------------------------

    def pause(self) -> None:
        """Stop every task of the sandbox where it is.  Raises RunscError."""
        self._switch(RUNNING, PAUSED, "pause")

    def resume(self) -> None:
        """Let them go on.  Raises RunscError."""
        self._switch(PAUSED, RUNNING, "resume")

    def _switch(self, old: str, new: str, what: str) -> None:
        with self._store.locked(self.identifier):
            status = self._reload()
            if status != old:
                raise RunscError(f"cannot {what} container {self.identifier}: it is {status}")
            with self.client() as client:
                if new == PAUSED:
                    client.pause()
                else:
                    client.resume()
            self._become(new)
        for other in self._store.of_sandbox(self.record.sandbox_id):
            if other.identifier != self.identifier:
                self._follow(other.identifier, old, new)

    def _follow(self, identifier: str, old: str, new: str) -> None:
        """The sandbox is one kernel: its other containers are stopped, or go on, with this one."""
        with self._store.locked(identifier):
            try:
                record = self._store.load(identifier)
            except NoSuchContainer:
                return
            if record.current_status() == old:
                record.become(new)
                self._store.save(record)


def without_sandbox_namespace(spec: "dict[str, Any]", sandbox: int) -> "dict[str, Any]":
    """The specification, sharing the root PID namespace if it names the sandbox's process's.

    An engine knows the sandbox's process only as the first one of the root container.
    """
    linux = spec.get("linux") or {}
    path = f"/proc/{sandbox}/ns/pid"
    kept = [
        one
        for one in linux.get("namespaces") or []
        if (one.get("type"), one.get("path")) != ("pid", path)
    ]
    return {**spec, "linux": {**linux, "namespaces": kept}}


def delete_remains(root: str, identifier: str) -> bool:
    """What a command that was killed left of a container without a record; whether that was so."""
    store = StateDirectory(root)
    if store.exists(identifier) or not os.path.isdir(root):
        return False
    with store.locked(identifier):
        store.remove(identifier)
    return True
