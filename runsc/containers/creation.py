"""`create`: from a bundle to a container whose program waits to be started.

The record is written before anything is started, and again as soon as there is a process: whatever
moment this is killed at, `delete --force` finds what is left.
"""

import os
import time

from runsc_py.runsc.config import Config, override_by_annotations
from runsc_py.runsc.containers import cgroups
from runsc_py.runsc.containers.annotations import is_pod, sandbox_of
from runsc_py.runsc.containers.console import check_console, open_console, send_pidfd
from runsc_py.runsc.containers.container import Container
from runsc_py.runsc.containers.hooks import run_create_container_hooks, run_hooks
from runsc_py.runsc.containers.host_namespaces import check_paths, resolve_id_maps, resolve_offsets
from runsc_py.runsc.containers.host_process import HostProcess
from runsc_py.runsc.containers.identifiers import check_identifier
from runsc_py.runsc.containers.pid_file import write_pid_file
from runsc_py.runsc.containers.record import ContainerRecord
from runsc_py.runsc.containers.status import CREATED, CREATING, STOPPED
from runsc_py.runsc.containers.store import StateDirectory
from runsc_py.runsc.containers.waiting import wait_as_container
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.json_text import decode
from runsc_py.runsc.oci.reading import encode_structure, read_bundle
from runsc_py.runsc.oci.spec import Spec
from runsc_py.runsc.oci.validation import validate
from runsc_py.runsc.runtime_log import RuntimeLog
from runsc_py.runsc.sandbox_process import SandboxRequest, launch_sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.runsc.containers.console_relay import ConsoleRelay


#: annotations about the root directory (loader/hints.py)
ROOT_HINTS = "dev.gvisor.spec.rootfs."
#: names an archive of the host
UPPER_ARCHIVE = "dev.gvisor.tar.rootfs.upper"
#: it is there where systemd is the host's first process (sd_booted(3))
SYSTEMD = "/run/systemd/system"


class CreateOptions:
    """What the command line of `create` and `run` says beside the bundle."""

    def __init__(self, bundle: str) -> None:
        self.bundle = os.path.abspath(bundle)
        self.console_socket = ""
        self.pid_file = ""
        #: of a new sandbox
        self.user_log = ""
        #: where a descriptor of the process is sent to
        self.pidfd_socket = ""
        #: whether the command ends before the container does
        self.detached = True
        #: guest number → descriptor of ours
        self.passed_files: dict[int, int] = {}
        #: variables beside those of the bundle
        self.environment: list[str] = []
        #: the program, open for reading; -1 when it has a name
        self.executable = -1
        #: of an image that an ordinary user unpacked: what records its owners
        self.image = ""


class Creation:
    """One container being made."""

    def __init__(
        self, config: Config, log: RuntimeLog, identifier: str, options: CreateOptions
    ) -> None:
        self._config = config
        self._log = log
        self._identifier = check_identifier(identifier)
        self._options = options
        self._store = StateDirectory(config.root)
        #: copies between the container's terminal and our standard files, once it is created
        self.relay: ConsoleRelay | None = None

    def create(self) -> Container:
        """Make it.  Raises RunscError; nothing is left then."""
        spec = self._read()
        self._store.prepare()
        sandbox_id = sandbox_of(spec, self._identifier, self._store)
        if spec.linux is not None and any(one.path for one in spec.linux.namespaces):
            check_paths(spec, self._log, is_root=sandbox_id == self._identifier)
        resolve_id_maps(spec, self._store)
        resolve_offsets(spec, self._store)
        with self._store.locked(self._identifier):
            if self._store.exists(self._identifier):
                raise RunscError(f"container with given ID already exists: {self._identifier}")
            container = Container(self._store, self._new_record(spec, sandbox_id), self._log)
            try:
                self._make(container, spec)
            except BaseException:
                container.destroy()
                raise
        return container

    def _read(self) -> Spec:
        spec, warnings = read_bundle(self._options.bundle)
        for warning in warnings + validate(spec):
            self._log.warning(warning)
        if any(mount.is_bind for mount in spec.mounts):
            from runsc_py.runsc.containers.host_mounts import inherit_flags

            inherit_flags(spec)
        override_by_annotations(self._config, spec.annotations)
        if any(key.startswith(ROOT_HINTS) for key in spec.annotations):
            from runsc_py.runsc.loader.hints import apply_root_hint

            apply_root_hint(spec, self._config)
        assert spec.process is not None
        spec.process.env += self._options.environment
        check_console(
            spec.process.terminal, self._options.console_socket, detached=self._options.detached
        )
        return spec

    def _new_record(self, spec: Spec, sandbox_id: str) -> ContainerRecord:
        import pwd

        record = ContainerRecord(self._identifier, sandbox_id)
        record.bundle = self._options.bundle
        record.created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            record.owner = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:  # a user without a name
            record.owner = str(os.geteuid())
        record.config = self._config.to_dict()
        record.spec = decode(encode_structure(spec))
        record.sandbox = HostProcess.find(os.getpid())
        self._store.save(record)
        return record

    def _make(self, container: Container, spec: Spec) -> None:
        record = container.record
        self._make_groups(record)
        if record.is_root:
            self._launch(record, spec)
        else:
            self._reserve(container, spec)
        state = {**record.oci_state(), "status": CREATING}
        run_hooks(record, "prestart", state)
        run_hooks(record, "createRuntime", state)
        run_create_container_hooks(record, state)
        record.become(CREATED)
        self._store.save(record)
        if self._options.pidfd_socket:
            assert record.process is not None
            send_pidfd(self._options.pidfd_socket, record.process.pid)
        if self._options.pid_file:
            assert record.process is not None
            write_pid_file(self._options.pid_file, record.process.pid)

    def _make_groups(self, record: ContainerRecord) -> None:
        """Control groups, where the host lets us; the sandbox has limits of its own anyway."""
        linux = record.spec.get("linux") or {}
        if self._config.ignore_cgroups:
            return
        if self._config.systemd_cgroup and not os.path.isdir(SYSTEMD):
            raise RunscError(
                "systemd not running on this host, cannot use systemd cgroups manager; leave out "
                "--systemd-cgroup (podman: --cgroup-manager=cgroupfs)"
            )
        path = cgroups.group_path(
            linux.get("cgroupsPath", ""),
            record.identifier,
            self._config.root,
            systemd=self._config.systemd_cgroup,
        )
        hierarchies = cgroups.host_hierarchies()
        planned = cgroups.plan_groups(hierarchies, path)
        cgroups.check_unused(planned)
        record.cgroups = planned
        self._store.save(record)
        try:
            cgroups.make_groups(hierarchies, path)
        except OSError as error:
            record.cgroups = []
            self._store.save(record)
            message = f"no control group {path}: {error.strerror}"
            if self._config.rootless == "false":
                raise RunscError(message) from None
            if self._config.rootless == "auto":
                self._log.warning(f"{message}; the sandbox limits itself")
            return
        resources = linux.get("resources") or {}
        if is_pod(record.spec.get("annotations") or {}):
            resources = _of_a_whole_pod(resources)
        for problem in cgroups.apply(record.cgroups, resources):
            self._log.warning(problem)

    def _terminal(self, record: ContainerRecord) -> int:
        """The container's end of its terminal; -1 when it has none."""
        if not record.has_terminal:
            return -1
        if self._options.console_socket:
            return open_console(
                self._options.console_socket, record.spec["process"].get("consoleSize")
            )
        from runsc_py.runsc.containers.console_relay import ConsoleRelay, has_own_terminal

        if has_own_terminal():
            return os.dup(0)
        self.relay = ConsoleRelay()
        return os.dup(self.relay.terminal)

    def _launch(self, record: ContainerRecord, spec: Spec) -> None:
        """A sandbox with this container as its root."""
        request = SandboxRequest(record.identifier, spec, self._config, record.bundle)
        request.socket_path = self._store.socket_path(record.sandbox_id)
        request.log = self._log
        request.user_log = self._options.user_log
        request.passed_files = self._options.passed_files
        request.executable = self._options.executable
        if self._options.image and os.geteuid() != 0:
            from runsc_py.runsc.images.owners import read_owners

            assert spec.root is not None
            request.image_owners = read_owners(self._options.image, spec.root.path)

        def joined(pid: int) -> None:
            self._join_groups(record, pid)
            _forget_affinity(pid)
            self._set_oom_score(spec, pid)
            record.process = record.sandbox = HostProcess.find(pid)
            self._store.save(record)

        request.upper_archive = self._open_upper_archive(spec)
        request.join_resources = joined
        request.exit_record = self._store.new_exit_record(record.identifier)
        request.terminal = self._terminal(record)
        try:
            launch_sandbox(request)
        except RunscError:
            if cgroups.out_of_memory_kills(record.cgroups):
                raise RunscError("container init was OOM-killed (memory limit too low?)") from None
            raise
        finally:
            for descriptor in (request.exit_record, request.terminal, request.upper_archive):
                if descriptor >= 0:
                    os.close(descriptor)

    def _open_upper_archive(self, spec: Spec) -> int:
        """What the root's upper layer begins with; -1 when no annotation says so."""
        path = spec.annotations.get(UPPER_ARCHIVE)
        if path is None:
            return -1
        if not self._config.allow_rootfs_tar_annotation:
            raise RunscError(
                f"annotation {UPPER_ARCHIVE}: use --allow-rootfs-tar-annotation to enable it"
            )
        try:
            return os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise RunscError(f"annotation {UPPER_ARCHIVE}: {path}: {error.strerror}") from None

    def _join_groups(self, record: ContainerRecord, pid: int) -> None:
        """What cannot be joined is left out, as what cannot be made."""
        try:
            cgroups.join(record.cgroups, pid)
        except OSError as error:
            message = f"cannot join the control groups: {error.strerror}"
            if self._config.rootless == "false":
                raise RunscError(message) from None
            self._log.warning(message)

    def _set_oom_score(self, spec: Spec, pid: int) -> None:
        """Whom the host kills first when it has no memory left."""
        assert spec.process is not None
        if spec.process.oom_score_adj is None:
            return
        try:
            with open(f"/proc/{pid}/oom_score_adj", "w") as file:
                file.write(str(spec.process.oom_score_adj))
        except OSError as error:
            # To lower it is a right of its own.
            self._log.warning(f"oomScoreAdj: {error.strerror}")

    def _reserve(self, container: Container, spec: Spec) -> None:
        """A place in a sandbox that runs, and a process that engines can wait for."""
        record = container.record
        root = self._store.load(record.sandbox_id)
        if root.current_status() == STOPPED or root.sandbox is None:
            raise RunscError(f"sandbox {record.sandbox_id} is not running")
        record.sandbox = root.sandbox
        terminal = self._terminal(record)
        try:
            self._give_files(container, terminal)
            pid = self._fork_waiter(container, spec, terminal)
        finally:
            if terminal >= 0:
                os.close(terminal)
        record.process = HostProcess.find(pid)
        self._store.save(record)
        self._join_groups(record, pid)

    def _give_files(self, container: Container, terminal: int) -> None:
        """Reserve the place, with the files that the program begins with."""
        options = self._options
        descriptors = [terminal] if terminal >= 0 else [0, 1, 2]
        descriptors += options.passed_files.values()
        if options.executable >= 0:
            descriptors.append(options.executable)
        with container.client() as client:
            client.create_subcontainer(
                container.identifier,
                descriptors,
                list(options.passed_files),
                has_executable=options.executable >= 0,
            )

    def _fork_waiter(self, container: Container, spec: Spec, terminal: int) -> int:
        """A process that waits for the container, and for the keys of its terminal; its id."""
        from runsc_py.runsc.confinement.confinement import confine_waiter

        client = container.client()
        exit_record = self._store.new_exit_record(container.identifier)
        try:
            return wait_as_container(
                client,
                container.identifier,
                exit_record,
                lambda: confine_waiter(spec, self._config),
                terminal,
            )
        finally:
            os.close(exit_record)
            client.close()


def _of_a_whole_pod(resources: "dict[str, Any]") -> "dict[str, Any]":
    """Without the share of processor time for a process that does nothing.

    Engines give the first container of a pod the smallest, and it holds what all the others run.
    """
    cpu = {key: value for key, value in (resources.get("cpu") or {}).items() if key != "shares"}
    return {**resources, "cpu": cpu}


def _forget_affinity(pid: int) -> None:
    """The processors of a container are those of its control group, not those of its starter."""
    try:
        os.sched_setaffinity(pid, range(os.cpu_count() or 1))
    except OSError:
        return  # it may use those that it has
