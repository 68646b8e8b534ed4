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


def place(native: NativePlatform, placement: Placement, proc_fd: int) -> None:
    """Put the tracer under a policy, before it starts its stubs.  One CPU leaves no choice.

    `proc_fd`, a descriptor of /proc, is read as long as the platform lives.
    """
    if placement not in PLACEMENTS:
        raise ValueError(f"placement {placement!r} is none of {', '.join(PLACEMENTS)}")
    if placement == "spread" or len(os.sched_getaffinity(0)) < 2:
        return
    policy = lib.PLACEMENT_TOGETHER if placement == "together" else lib.PLACEMENT_AUTO
    lib.platform_place(native, policy, proc_fd)
