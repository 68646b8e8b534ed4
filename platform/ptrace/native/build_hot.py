"""Describes the compiled hot loop to cffi; a build input, not an installed module."""

import os
from pathlib import Path

from cffi import FFI

HERE = Path(os.path.relpath(Path(__file__).resolve().parent))

ffibuilder = FFI()
ffibuilder.cdef((HERE / "hot.h").read_text())
ffibuilder.set_source(
    "runsc_py.platform.ptrace._hot",
    '#include <stdint.h>\n#include "hot.h"',
    sources=sorted(str(path) for path in HERE.glob("*.c")),
    depends=sorted(str(path) for path in HERE.glob("*.h")),
    include_dirs=[str(HERE)],
    # Hidden, or a function named like one in libc (`step`) is bound to libc's.
    extra_compile_args=["-O2", "-Wall", "-Wextra", "-fvisibility=hidden"],
)
