"""Which CPU the tracer and its guests run on; the work per trap is in native/placement.c."""

from __future__ import annotations

import os

from runsc_py.platform.ptrace._hot import lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from runsc_py.platform.ptrace._hot import NativePlatform

#: together: guests stay on the tracer's CPU; spread: the host's scheduler decides; auto: together
#: while they make many system calls, spread while they compute.
PLACEMENTS = ("auto", "together", "spread")
if TYPE_CHECKING:
    Placement: TypeAlias = Literal["auto", "together", "spread"]


def place(native: NativePlatform, placement: Placement, proc_fd: int) -> int:
    """Put the tracer under a policy, before it starts its stubs.  One CPU leaves no choice.

    Returns a descriptor that the C core reads as long as the platform lives, or -1.
    """
    if placement not in PLACEMENTS:
        raise ValueError(f"placement {placement!r} is none of {', '.join(PLACEMENTS)}")
    if placement == "spread" or len(os.sched_getaffinity(0)) < 2:
        return -1
    if placement == "together":
        lib.platform_place(native, lib.PLACEMENT_TOGETHER, -1)
        return -1
    try:
        schedstat = os.open("thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc_fd)
    except FileNotFoundError:  # a kernel without scheduler statistics
        schedstat = -1
    lib.platform_place(native, lib.PLACEMENT_AUTO, schedstat)
    return schedstat
