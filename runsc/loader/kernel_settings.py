"""What of the options and the specification the kernel of a sandbox has for its own settings."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.spec import Spec
    from runsc_py.sentry.kernel.kernel import Kernel

#: processors that a quota leaves at least: programs behave oddly with one
FEWEST = 2


def apply_settings(kernel: Kernel, config: Config, spec: Spec) -> None:
    """Before there is any mount."""
    kernel.options.allows_set_id = config.allow_suid
    if config.dcache >= 0:
        kernel.file_settings.dentry_limit = config.dcache
    if config.cpu_num_from_quota:
        kernel.options.processors = processors_of_quota(spec, kernel.options.processors)
    if config.gvisor_marker_file or config.override_procs:
        _add_files_of_proc(kernel, config)


def processors_of_quota(spec: Spec, most: int) -> int:
    """As many processors as a quota of processor time keeps busy, of those that there are."""
    resources = spec.linux.resources if spec.linux is not None else None
    cpu = resources.cpu if resources is not None else None
    if cpu is None or cpu.quota is None or cpu.quota <= 0:
        return most
    period = cpu.period or 100_000
    return min(max(-(-cpu.quota // period), FEWEST), most)


def _add_files_of_proc(kernel: Kernel, config: Config) -> None:
    from runsc_py.sentry.fs.proc.machine_table import FILES

    files = dict(FILES)
    if config.gvisor_marker_file:
        files[b"gvisor"] = {b"kernel_is_gvisor": b"gvisor\n"}
    for name in config.override_procs.split(","):
        if name:
            files[os.fsencode(name)] = b""
    kernel.proc_files = files
