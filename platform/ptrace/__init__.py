"""The ptrace platform: guests are host threads that stop at every system call."""

from runsc_py.platform.ptrace.platform import PtracePlatform

__all__ = ["PtracePlatform"]
