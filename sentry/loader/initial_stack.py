"""What a new program finds on its stack: strings, auxiliary vector, environment, arguments.

x86-64 psABI section 3.4.1; getauxval(3).
"""

import struct

from runsc_py.sentry.abi.elf import AT_EXECFN, AT_NULL, AT_PLATFORM, AT_RANDOM
from runsc_py.sentry.errors import E2BIG

#: one argument or environment string (MAX_ARG_STRLEN)
STRING_LIMIT = 131072
PLATFORM = b"x86_64\0"


class InitialStack:
    """The bytes of a fresh stack and where the interesting parts lie."""

    __slots__ = ("arguments", "auxiliary", "environment", "image", "pointer")

    def __init__(
        self,
        top: int,
        arguments: list[bytes],
        environment: list[bytes],
        auxiliary: list[tuple[int, int]],
        file_name: bytes,
        random: bytes,
    ) -> None:
        """Lay everything out below `top`; `image` ends there and `pointer` is its start."""
        argument_block = b"".join(value + b"\0" for value in arguments)
        environment_block = b"".join(value + b"\0" for value in environment)
        name = file_name + b"\0"
        name_address = top - 8 - len(name)
        environment_address = name_address - len(environment_block)
        argument_address = environment_address - len(argument_block)
        platform_address = (argument_address - len(PLATFORM)) & ~15
        random_address = platform_address - 16
        vector = [
            *auxiliary,
            (AT_RANDOM, random_address),
            (AT_EXECFN, name_address),
            (AT_PLATFORM, platform_address),
            (AT_NULL, 0),
        ]
        words = [len(arguments), *_addresses(argument_address, arguments), 0]
        words += [*_addresses(environment_address, environment), 0]
        self.auxiliary = b"".join(struct.pack("<QQ", key, value) for key, value in vector)
        head = struct.pack(f"<{len(words)}Q", *words) + self.auxiliary
        self.pointer = (random_address - len(head)) & ~15
        self.arguments = (argument_address, environment_address)
        self.environment = (environment_address, name_address)
        self.image = b"".join(
            (
                head.ljust(random_address - self.pointer, b"\0"),
                random,
                PLATFORM.ljust(argument_address - platform_address, b"\0"),
                argument_block,
                environment_block,
                name,
                bytes(8),
            )
        )


def _addresses(start: int, values: list[bytes]) -> list[int]:
    result = []
    for value in values:
        result.append(start)
        start += len(value) + 1
    return result


def check_sizes(arguments: list[bytes], environment: list[bytes], stack_limit: int) -> None:
    """E2BIG when strings and pointers exceed a quarter of the stack limit (execve(2))."""
    total = 0
    for value in (*arguments, *environment):
        if len(value) >= STRING_LIMIT:
            raise E2BIG
        total += len(value) + 1 + 8
    if total > max(min(stack_limit // 4, 6 * 1024 * 1024), STRING_LIMIT):
        raise E2BIG
