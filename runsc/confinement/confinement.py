"""Taking from a process of ours what it no longer needs of the host, in two steps.

The first comes before the platform, since stubs are copies of the sandbox and are seen by it: a
mount namespace of our own, and Landlock (walls.py).  The second comes when everything is open: the
container's files become all there is, capabilities go, and the filter of a sentry is installed.

Where the host does not allow a mount namespace (an ordinary user outside of a user namespace),
Landlock takes the paths instead; what else a host may lack is said in SECURITY.md.
"""

from __future__ import annotations

from runsc_py.runsc.confinement import walls
from runsc_py.runsc.confinement.container_root import enter_container_root, leave_host_mounts
from runsc_py.runsc.confinement.library import import_only_from, open_library
from runsc_py.runsc.confinement.modules import import_extensions
from runsc_py.runsc.confinement.processes import new_proc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.spec import Spec
    from runsc_py.runsc.sandbox_log import SandboxLog


class Confinement:
    """Of this process."""

    def __init__(self, log: SandboxLog, config: Config, processes: int) -> None:
        """The first step.  `processes`: of a PID namespace of our own, or -1."""
        self._log = log
        #: whether paths of the host have ceased to lead anywhere
        self.is_complete = False
        #: a /proc of our own for the platform; -1 for the host's
        self.processes = processes
        #: readable when the container's files were looked at from outside; -1 for none
        self.visits = -1
        self._has_namespace = False
        try:
            leave_host_mounts()
            self._has_namespace = True
            if processes < 0:
                self.processes = new_proc()
        except OSError as error:
            log.debug(f"confinement: {error.strerror}")
        import_extensions()
        network = config.network == "host"
        if self._has_namespace:
            walls.restrict_sentry_in_namespace(network=network)
        elif not walls.restrict_sentry(network=network):
            log.warning("this host has neither namespaces for us nor Landlock: see SECURITY.md")

    def complete(self, spec: Spec, config: Config) -> None:
        """The second step."""
        if self._has_namespace:
            try:
                library = open_library()
                self.visits = enter_container_root(spec, config)
            except OSError as error:
                self._log.warning(f"the host's mounts stay visible: {error.strerror}")
            else:
                import_only_from(library)
                self.is_complete = True
        network = config.network == "host"
        walls.drop_sentry_capabilities(network=network)
        words = walls.last_words("the sentry")
        walls.seal_sentry(network=network, control=True, report=self._log.last_words(words))


def confine_waiter(spec: Spec, config: Config) -> int:
    """A process that waits for one inside has the container's files, and no rights.

    Returns what `enter_container_root` does, -1 where the host does not allow it.
    """
    visits = -1
    import_extensions()
    try:
        leave_host_mounts()
        library = open_library()
        visits = enter_container_root(spec, config)
    except OSError:
        walls.restrict_sentry(network=False)
    else:
        import_only_from(library)
    walls.keep_capabilities(())
    return visits
