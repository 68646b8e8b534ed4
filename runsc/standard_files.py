"""Descriptors 0, 1 and 2 that the command line was started with, handed on to the program."""

import fcntl
import os

#: copies are put above the standard numbers
FIRST_FREE = 3
#: above every descriptor that there can be
LAST = (1 << 31) - 1


def take_standard_files() -> tuple[int, int, int]:
    """Copies for the program to own, -1 for a descriptor that was closed.

    Ours become /dev/null.  Closed ones, since otherwise whatever is opened next, the gofer's socket
    for one, would take their numbers; 0 and 1, since whoever is at their other end must see when
    the program has closed them.  Standard error stays: it is where we report.
    """
    first, second, third = (_copy(number) for number in range(3))
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for number, copy in ((0, first), (1, second), (2, third)):
        if null != number and (number < 2 or copy < 0):
            os.dup2(null, number)
    if null > 2:
        os.close(null)
    return first, second, third


def _copy(number: int) -> int:
    try:
        copy: int = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE)
    except OSError:
        return -1
    return copy


def close_others(kept: set[int]) -> None:
    """Close every descriptor but 0, 1, 2 and `kept`, which no program that is executed gets.

    For a process that was forked and goes on without what its starter had open (CVE-2024-21626).
    """
    first = FIRST_FREE
    for number in sorted(kept):
        if number >= FIRST_FREE:
            os.closerange(first, number)
            os.set_inheritable(number, False)
            first = number + 1
    # close_range(2): whatever /proc is here, or whether there is one, nothing is left out.
    os.closerange(first, LAST)
