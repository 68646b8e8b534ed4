"""What the structures of config.json have in common, and the numbers and maps they are made of.

A structure is a `msgspec.Struct`: its annotations are the schema, so that a value of a wrong type,
a number out of range or a missing member is an error that names its place (`$.process.user.uid`).
"""

from typing import Annotated

from msgspec import Meta, Struct

Uint16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
Uint32 = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
Int32 = Annotated[int, Meta(ge=-(1 << 31), le=(1 << 31) - 1)]
#: the reader takes no number that does not fit into 64 bits
Uint64 = Annotated[int, Meta(ge=0)]
Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]

StringMap = dict[str, str]


class Structure(Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A JSON object; members are called as in the specification, in Python's spelling."""
