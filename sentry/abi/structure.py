"""How an ABI structure is declared: once, and read two ways.

`Structure` compiles to one `struct.Struct`, which is what system calls use.  The same declaration
gives a `construct` layout for tests, documentation and strace; construct is imported only
then, since it costs more than the rest of a start.  tests/unit/abi checks sizes and offsets
against the system's headers.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Structure:
    """A little-endian C structure with explicit padding.

    `fields` is a sequence of (name, format): a struct format of one value (`I`, `q`, `16s`)
    or padding (`4x`, with any name starting with an underscore).
    """

    __slots__ = ("c_name", "fields", "names", "pack", "pack_into", "size", "unpack", "unpack_from")

    def __init__(self, c_name: str, *fields: tuple[str, str]) -> None:
        compiled = struct.Struct("<" + "".join(code for _, code in fields))
        self.c_name = c_name
        self.fields = fields
        self.names = tuple(name for name, code in fields if not code.endswith("x"))
        self.size = compiled.size
        self.pack = compiled.pack
        self.pack_into = compiled.pack_into
        self.unpack = compiled.unpack
        self.unpack_from = compiled.unpack_from

    def offsets(self) -> dict[str, int]:
        """Byte offset of each field."""
        result: dict[str, int] = {}
        position = 0
        for name, code in self.fields:
            result[name] = position
            position += struct.calcsize("<" + code)
        return result

    def as_dict(self, data: bytes) -> dict[str, Any]:
        """The values by name, for display."""
        return dict(zip(self.names, self.unpack_from(data), strict=True))

    def construct(self) -> Any:
        """The same layout as a construct.Struct."""
        import construct

        by_code = {
            "b": construct.Int8sl,
            "B": construct.Int8ul,
            "h": construct.Int16sl,
            "H": construct.Int16ul,
            "i": construct.Int32sl,
            "I": construct.Int32ul,
            "q": construct.Int64sl,
            "Q": construct.Int64ul,
        }
        members = []
        for name, code in self.fields:
            if code in by_code:
                members.append(name / by_code[code])
            elif code.endswith("s"):
                members.append(name / construct.Bytes(int(code[:-1])))
            else:
                members.append(construct.Padding(struct.calcsize("<" + code)))
        return construct.Struct(*members)
