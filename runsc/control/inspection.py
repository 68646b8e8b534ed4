"""Control calls that look into a sandbox, or change what a container's life does not depend on.

As calls.py, which has the others: this module is only imported for one of these.
"""

from runsc_py.runsc.control.calls import Call
from runsc_py.runsc.control.message import field, message

# -- processes -------------------------------------------------------------------------------------


@message
class Exec(Call):
    """Run one more process in a running container, and wait.  Answers its status, an int.

    Arguments and descriptors are those of containerManager.ExecuteAsync.
    """

    METHOD = "Proc.Exec"

    container_id: str
    process: bytes = field(shown=False)
    user: str = ""
    guest_descriptors: list[int] = field(default_factory=list)
    has_executable: bool = False


@message
class Ps(Call):
    """The processes of a container, or all when empty, as a table.  Answers text, a str."""

    METHOD = "Proc.Ps"

    container_id: str = ""


@message
class SignalProcess(Call):
    """Send a signal to a process by its number in the sandbox's root PID namespace.  Answers None.

    No container protects it: this is for whoever repairs a sandbox.
    """

    METHOD = "Proc.SignalProcess"

    pid: int
    signal: int


# -- files and mounts ------------------------------------------------------------------------------


@message
class Cat(Call):
    """Copy regular files of a container, one after the other.  Answers the bytes copied, an int.

    Descriptors: where to; it is made non-blocking.
    """

    METHOD = "Fs.Cat"

    container_id: str
    paths: list[str]


@message
class Mount(Call):
    """Mount a file system of the sandbox's own kernel in a container.  Answers None.

    `flags`: of ro, noexec, nodev, nosuid, noatime.  `kind`: tmpfs, proc, sysfs, devpts, mqueue,
    cgroup2, overlay or bind; what the host has is mounted by a specification only.
    """

    METHOD = "Fs.Mount"

    container_id: str
    kind: str
    source: str
    destination: str
    flags: list[str] = field(default_factory=list)
    #: as mount(8) -o has them, those of the file system only
    options: str = ""


@message
class Umount(Call):
    """Take away what is mounted at a place of a container.  Answers None.

    `detach`: also when it is in use (MNT_DETACH).
    """

    METHOD = "Fs.Umount"

    container_id: str
    destination: str
    detach: bool = False


# -- control groups of the sandbox -----------------------------------------------------------------


@message
class ControlFile:
    """A file of a container's control group as its programs see it.

    `path` is `/ID`, or `/` for the root container's, whose limits are the whole sandbox's.
    """

    controller: str
    name: str
    path: str = "/"
    #: to be written
    value: str = ""


@message
class ControlFileResult:
    """What is in a control file, or why that cannot be told; of a written one only the latter."""

    value: str = ""
    error: str = ""


@message
class ReadControlFiles(Call):
    """Read control files.  Answers list[ControlFileResult], one for each."""

    METHOD = "Cgroups.ReadControlFiles"

    files: list[ControlFile]


@message
class WriteControlFiles(Call):
    """Write control files: memory.max and pids.max.  Answers list[ControlFileResult]."""

    METHOD = "Cgroups.WriteControlFiles"

    files: list[ControlFile]


# -- memory, files, network ------------------------------------------------------------------------


@message
class UsageDescriptor(Call):
    """Keep the memory of the sandbox up to date in a file, until the client hangs up.

    Answers None once the first figures are there.  Descriptors: a memfd, whose first 40 bytes are
    total, anonymous, mapped, tmpfs and sentry, bytes each, as little-endian 64-bit numbers.
    """

    METHOD = "Usage.UsageFD"

    #: nanoseconds between two looks; at least 10 ms
    interval: int = 1_000_000_000


@message
class Reduce(Call):
    """Give back memory that is only a cache.  Answers the bytes by which the sentry shrank."""

    METHOD = "Usage.Reduce"


@message
class FileIoStats:
    """Calls and bytes, of living processes and of those that others have waited for."""

    reads: int
    writes: int
    bytes_read: int
    bytes_written: int


@message
class GetFileIoStats(Call):
    """What the containers have read and written.  Answers dict[str, FileIoStats], by container."""

    METHOD = "Usage.GetFileIoStats"


@message
class NetworkInterface:
    """One interface; addresses as `ip address` shows them."""

    name: str
    index: int
    mtu: int
    addresses: list[str]


@message
class NetworkConfig:
    """`mode`: sandbox (a loopback interface only) or host (sockets are the host's)."""

    mode: str
    interfaces: list[NetworkInterface]


@message
class GetNetworkConfig(Call):
    """What network programs in the sandbox have.  Answers NetworkConfig."""

    METHOD = "containerManager.GetNetworkConfig"


# -- metrics and profiles --------------------------------------------------------------------------


@message
class Metric:
    """What a metric is; `kind` is counter or gauge, `labels` are what its samples are told by."""

    name: str
    kind: str
    help: str
    labels: list[str] = field(default_factory=list)


@message
class Sample:
    """A metric's value now."""

    name: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


@message
class GetRegisteredMetrics(Call):
    """Answers list[Metric]."""

    METHOD = "Metrics.GetRegisteredMetrics"


@message
class ExportMetrics(Call):
    """The values of all metrics at this moment.  Answers list[Sample]."""

    METHOD = "Metrics.Export"


@message
class ProfileCpu(Call):
    """Where processor time goes: to the sentry, by its stacks, and to programs.

    Answers the number of samples of the sentry, an int.

    Descriptors: a regular file or a pipe, which gets folded stacks: frames from the outermost on
    with semicolons, a blank, and how many samples were there.  Programs are `programs;NAME[PID]`
    with their own time in units of `period`.
    """

    METHOD = "Profile.CPU"

    #: nanoseconds
    duration: int
    #: of processor time between two samples
    period: int = 1_000_000
