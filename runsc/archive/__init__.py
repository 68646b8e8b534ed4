"""tar archives, read and written as streams, and unpacked without trusting them.

    member.py      one entry: name, type, owner, times, extended attributes, holes
    headers.py     how numbers and records are written in headers
    reader.py      from bytes to entries
    sparse.py      the four ways in which GNU tar writes holes
    writer.py      from entries to bytes
    streams.py     decompression, digests
    directories.py a walk by directory descriptors that follows no link by itself
    unpacker.py    entries into a directory of the host, whiteouts of layers included

Not the standard library's tarfile: it reads headers of any length into memory, loses nanoseconds,
and keeps every entry.  An archive here is what somebody sent.  All names are bytes.
"""
