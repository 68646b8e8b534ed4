"""Calls that gVisor's control server has and this one has not: why, and what to do instead.

A client that makes one is answered with the code `unsupported` and the hint; docs/control.md lists
them.
"""

_NO_SAVING = "sandboxes cannot be saved yet"
_UPPER = "runsc-py tar rootfs-upper keeps what was changed in the root directory"
_NO_POINTS = "there are no trace points yet"
_TRACE = "Logging.Change with a pipe follows system calls"
_NO_STACK = "there is no network stack of our own that could be set up"
_NETWORK = "--network=host gives containers the host's sockets"
_NOT_GO = "it is about the runtime of another language"
_PROFILE = "Profile.CPU and debug.Stacks tell what the sentry does"

#: method → reason, hint
UNSUPPORTED_CALLS = {
    "containerManager.Checkpoint": (_NO_SAVING, _UPPER),
    "containerManager.WaitCheckpoint": (_NO_SAVING, _UPPER),
    "containerManager.Restore": (_NO_SAVING, _UPPER),
    "containerManager.RestoreSubcontainer": (_NO_SAVING, _UPPER),
    "containerManager.WaitRestore": (_NO_SAVING, _UPPER),
    "containerManager.GetSavings": (_NO_SAVING, _UPPER),
    "containerManager.FSSave": (_NO_SAVING, _UPPER),
    "containerManager.WaitFSCheckpoint": (_NO_SAVING, _UPPER),
    "containerManager.WaitFSRestore": (_NO_SAVING, _UPPER),
    "State.Save": (_NO_SAVING, _UPPER),
    "containerManager.CreateTraceSession": (_NO_POINTS, _TRACE),
    "containerManager.DeleteTraceSession": (_NO_POINTS, _TRACE),
    "containerManager.ListTraceSessions": (_NO_POINTS, _TRACE),
    "containerManager.ProcfsDump": (
        _NO_POINTS,
        "containerManager.Processes lists processes, Fs.Read reads /proc of a container",
    ),
    "containerManager.Mount": (
        "it mounts EROFS images, which cannot be read here",
        "Fs.Mount mounts what the sandbox's kernel has",
    ),
    "containerManager.SetNetworkArgs": (_NO_STACK, _NETWORK),
    "Network.CreateLinksAndRoutes": (_NO_STACK, _NETWORK),
    "Network.InitPluginStack": (_NO_STACK, _NETWORK),
    "Profile.Heap": (_NOT_GO, "Usage.Collect tells the sentry's memory"),
    "Profile.Goroutine": (_NOT_GO, _PROFILE),
    "Profile.Block": (_NOT_GO, _PROFILE),
    "Profile.Mutex": (_NOT_GO, _PROFILE),
    "Profile.Trace": (_NOT_GO, _PROFILE),
    "Events.AttachDebugEmitter": (
        "gVisor has it and offers it nowhere",
        "Events.Subscribe sends events over the connection itself",
    ),
}


def hint_for(method: str) -> str:
    """What to say of a method that nobody answers; empty when nobody knows it."""
    reason, hint = UNSUPPORTED_CALLS.get(method, ("", ""))
    return f"{reason}; {hint}" if reason else ""
