"""struct termios and what its flags make special."""

import fcntl
import os
import pty

from runsc_py.sentry.abi import ioctl
from runsc_py.sentry.fs.devpts.settings import Settings


def test_a_new_terminal_is_like_the_hosts() -> None:
    master, slave = pty.openpty()
    host = fcntl.ioctl(slave, ioctl.TCGETS, bytes(ioctl.TERMIOS.size))
    host2 = fcntl.ioctl(slave, ioctl.TCGETS2, bytes(ioctl.TERMIOS2.size))
    os.close(master)
    os.close(slave)
    assert Settings().pack() == host
    assert Settings().pack2() == host2


def test_both_structures_come_back() -> None:
    characters = bytes(range(19))
    settings = Settings(0o1, 0o2, 0o3, 0o4, 5, characters)
    assert Settings.unpack(settings.pack()).pack() == settings.pack()
    settings.input_speed, settings.output_speed = 9600, 19200
    assert Settings.unpack(settings.pack2()).pack2() == settings.pack2()


def test_special_characters() -> None:
    assert Settings(0, 0, 0, 0).special == frozenset()
    assert Settings(0, 0, 0, ioctl.ISIG).special == {0x03, 0x1C, 0x1A}
    assert Settings(ioctl.IXON, 0, 0, 0).special == {0x11, 0x13}
    canonical = Settings(0, 0, 0, ioctl.ICANON).special
    assert canonical == {0x7F, 0x15, 0x04, 0x0A}
    assert 0 not in Settings().special
