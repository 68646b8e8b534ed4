"""Describes the gofer's compiled helpers to cffi; a build input, not an installed module."""

import os
from pathlib import Path

from cffi import FFI

HERE = Path(os.path.relpath(Path(__file__).resolve().parent))

ffibuilder = FFI()
ffibuilder.cdef((HERE / "host.h").read_text())
ffibuilder.set_source(
    "runsc_py.gofer._host",
    '#include <stdint.h>\n#include <stddef.h>\n#include "host.h"',
    sources=[str(HERE / "host.c")],
    depends=[str(HERE / "host.h")],
    include_dirs=[str(HERE)],
    extra_compile_args=["-O2", "-Wall", "-Wextra", "-fvisibility=hidden"],
)
