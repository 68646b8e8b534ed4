"""Parsing maps and smaps."""

import os

from runsc_py.platform.ptrace.process_maps import parse_mapping, without_low_mappings

SMAPS = """\
00010000-00011000 r-xp 00000000 00:00 0
Size:                  4 kB
VmFlags: rd ex
00011000-00012000 rw-p 00000000 00:00 0                                  /a-b c
Size:                  4 kB
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
Rss:                   0 kB
"""


def test_file_mapping() -> None:
    mapping = parse_mapping("7f00-8f00 r-xp 00001000 fe:10 325835      /usr/a file (deleted)")
    assert (mapping.start, mapping.end) == (0x7F00, 0x8F00)
    assert (mapping.permissions, mapping.offset) == ("r-xp", 0x1000)
    assert (mapping.device, mapping.inode) == (os.makedev(0xFE, 0x10), 325835)
    assert mapping.path == "/usr/a file (deleted)"


def test_anonymous_mapping() -> None:
    assert parse_mapping("7f00-8f00 rw-s 00000000 00:00 0").path == ""


def test_names_from_the_sentrys_past_are_dropped() -> None:
    for name in ("[heap]", "[stack]"):
        assert parse_mapping(f"7f00-8f00 rw-p 00000000 00:00 0    {name}").path == ""


def test_low_mappings_are_left_out_of_smaps() -> None:
    lines = without_low_mappings(SMAPS, 0x11000).splitlines()
    assert lines == SMAPS.splitlines()[3:]
