"""Names of linux.sysctl as places below /proc/sys."""

import pytest

from runsc_py.runsc.loader.sysctl import sysctl_path


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("kernel.msgmax", b"kernel/msgmax"),
        ("kernel/msgmax", b"kernel/msgmax"),
        ("net.ipv4.conf.eth0/1.tag", b"net/ipv4/conf/eth0.1/tag"),
        ("net/ipv4/conf/eth0.1/tag", b"net/ipv4/conf/eth0.1/tag"),
    ],
)
def test_the_first_separator_tells(name: str, place: bytes) -> None:
    """As sysctl(8) reads it: the other one is part of a name."""
    assert sysctl_path(name) == place
