"""Metrics.*: what a sandbox has counted so far, in Prometheus' terms.

Nothing is counted for this: the numbers are those that the sentry needs itself, looked up when
somebody asks.  A metric is one line of METRICS; its reader gives a value for each set of labels.
"""

from __future__ import annotations

from runsc_py.runsc.control import calls
from runsc_py.runsc.control.inspection import Metric, Sample
from runsc_py.sentry.fs.proc.machine import busy_time
from runsc_py.sentry.kernel.usage import Usage
from runsc_py.sentry.vfs.usage import open_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from runsc_py.runsc.control import inspection
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.loader.loader import ContainerInformation
    from runsc_py.runsc.services.services import Services
    from runsc_py.sentry.kernel.kernel import Kernel

    Values: TypeAlias = Iterator[tuple[dict[str, str], float]]
    Reader: TypeAlias = Callable[[Services], Values]

COUNTER, GAUGE = "counter", "gauge"
SECOND = 1_000_000_000


def _once(read: Callable[[Kernel], float]) -> Reader:
    """A metric without labels."""

    def values(services: Services) -> Values:
        yield {}, read(services.loader.kernel)

    return values


def _of_containers(read: Callable[[ContainerInformation], float]) -> Reader:
    """A metric with a value for each container."""

    def values(services: Services) -> Values:
        for name, information in services.loader.containers.items():
            yield {"container": name}, read(information)

    return values


def _containers(services: Services) -> Values:
    yield {}, len(services.loader.containers)


def _memory(services: Services) -> Values:
    usage = services.observation.usage(calls.Usage())
    for kind in ("anonymous", "mapped", "tmpfs", "sentry"):
        yield {"kind": kind}, getattr(usage, kind)


def _processor_time(services: Services) -> Values:
    user, system = busy_time(services.loader.kernel)
    yield {"mode": "user"}, user / SECOND
    yield {"mode": "system"}, system / SECOND


def _faults(services: Services) -> Values:
    kernel = services.loader.kernel
    total: Usage = kernel.ended_usage
    for group in kernel.root_pid_namespace.thread_groups():
        if group.tasks:
            total = total + group.usage()
    yield {"kind": "minor"}, total.minor_faults
    yield {"kind": "major"}, total.major_faults


def _unsupported(services: Services) -> Values:
    from runsc_py.sentry.syscalls.numbers import syscall_name

    for number, count in sorted(services.loader.kernel.unsupported.items()):
        yield {"syscall": syscall_name(number)}, count


def _limits(services: Services) -> Values:
    for name, count in sorted(services.loader.kernel.limits_reached.items()):
        yield {"limit": name}, count


def _container_transfers(read: str) -> Reader:
    """Of what GetFileIoStats tells."""

    def values(services: Services) -> Values:
        from runsc_py.runsc.services.memory import file_io_of

        for name, information in services.loader.containers.items():
            yield {"container": name}, getattr(file_io_of(information), read)

    return values


def _gofer_requests(information: ContainerInformation) -> int:
    return information.client.requests if information.client is not None else 0


#: name, kind, help, labels, how it is read
METRICS: tuple[tuple[str, str, str, tuple[str, ...], Reader], ...] = (
    ("uptime_seconds", GAUGE, "Time since the sandbox was made.", (),
     _once(lambda kernel: (kernel.clock.boottime() - kernel.boot_time_ns) / SECOND)),
    ("paused", GAUGE, "1 while everything is held.", (),
     _once(lambda kernel: kernel.paused)),
    ("stops_total", COUNTER,
     "Rounds of the run loop: system calls, faults and other stops of tasks, and wake-ups.", (),
     _once(lambda kernel: kernel.moment)),
    ("unsupported_syscalls_total", COUNTER, "System calls that are not there, by name.",
     ("syscall",), _unsupported),
    ("limits_reached_total", COUNTER, "Calls that failed for a limit of the sandbox.",
     ("limit",), _limits),
    ("tasks", GAUGE, "Threads and processes that live.", (),
     _once(lambda kernel: len(kernel.root_pid_namespace.tasks))),
    ("tasks_peak", GAUGE, "The most of them at a time.", (),
     _once(lambda kernel: kernel.processes_peak)),
    ("tasks_started_total", COUNTER, "Tasks that were made.", (),
     _once(lambda kernel: kernel.forks)),
    ("cpu_seconds_total", COUNTER, "Processor time of all programs; system: the sentry for them.",
     ("mode",), _processor_time),
    ("page_faults_total", COUNTER, "Page faults of all programs.", ("kind",), _faults),
    ("memory_bytes", GAUGE, "Memory of the sandbox; files that are mapped count twice.",
     ("kind",), _memory),
    ("memory_limit_bytes", GAUGE, "What it may use; 0: no limit.", (),
     _once(lambda kernel: kernel.limits.memory or 0)),
    ("open_file_descriptions", GAUGE, "Open files, pipes, sockets and others of all programs.", (),
     _once(lambda kernel: len(open_files(kernel)))),
    ("timers", GAUGE, "Timers that wait.", (), _once(lambda kernel: len(kernel.timers))),
    ("containers", GAUGE, "Containers that were started.", (),
     _containers),
    ("container_tasks", GAUGE, "Threads and processes of a container.", ("container",),
     _of_containers(lambda one: one.container.task_count)),
    ("container_cpu_seconds_total", COUNTER, "Processor time of a container.", ("container",),
     _of_containers(lambda one: one.container.cpu_time() / SECOND)),
    ("container_read_bytes_total", COUNTER, "Bytes that a container has read.", ("container",),
     _container_transfers("bytes_read")),
    ("container_written_bytes_total", COUNTER, "Bytes that a container has written.",
     ("container",), _container_transfers("bytes_written")),
    ("container_gofer_requests_total", COUNTER, "Questions to the gofer of a container.",
     ("container",), _of_containers(_gofer_requests)),
)  # fmt: skip


def declared() -> list[Metric]:
    """Every metric, as this version has them."""
    return [Metric(name, kind, text, list(labels)) for name, kind, text, labels, _ in METRICS]


def registered(
    services: Services, call: inspection.GetRegisteredMetrics, files: list[int], later: Deferred
) -> list[Metric]:
    """The same for who asks a sandbox, which may be of another version."""
    return declared()


def export(
    services: Services, call: inspection.ExportMetrics, files: list[int], later: Deferred
) -> list[Sample]:
    """Every value now."""
    return samples(services)


def samples(services: Services) -> list[Sample]:
    """Every value now."""
    return [
        Sample(name, float(value), labels)
        for name, _, _, _, read in METRICS
        for labels, value in read(services)
    ]
