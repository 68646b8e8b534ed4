"""Describes the compiled walls to cffi; a build input, not an installed module.

The filters are made here, and become constants of the module: a start of the sandbox need not make
them again.
"""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

from cffi import FFI

HERE = Path(os.path.relpath(Path(__file__).resolve().parent))
ROOT = HERE.parents[2]


def import_source(name: str) -> ModuleType:
    """`runsc_py.NAME` from the source tree: nothing is installed yet, or something older."""
    folders = name.split(".")[:-1]
    for depth in range(len(folders) + 1):
        package = ModuleType(".".join(("runsc_py", *folders[:depth])))
        package.__path__ = [str(ROOT.joinpath(*folders[:depth]))]
        sys.modules[package.__name__] = package
    return importlib.import_module(f"runsc_py.{name}")


def array(kind: str, name: str, values: list[str]) -> str:
    return f"const {kind} {name}[] = {{\n" + "".join(f"{value},\n" for value in values) + "};\n"


import_source("platform.ptrace.bpf")
names = import_source("sentry.syscalls.numbers").NAMES
programs = import_source("runsc.confinement.allowed_calls").programs(
    {name: number for number, name in names.items()}
)
declarations = '#include <stdint.h>\n#include "walls.h"\n#include "filters.h"\n'
definitions = array(
    "char *const", "walls_call_names", [f'[{number}] = "{name}"' for number, name in names.items()]
)
definitions += "const int walls_call_count = sizeof walls_call_names / sizeof *walls_call_names;\n"
for which, program in enumerate(programs):
    definitions += array("unsigned char", f"filter_{which}", [", ".join(map(str, program))])
definitions += array(
    "struct walls_filter",
    "walls_filters",
    [f"{{{len(program)}, filter_{which}}}" for which, program in enumerate(programs)],
)

ffibuilder = FFI()
ffibuilder.cdef((HERE / "walls.h").read_text())
ffibuilder.set_source(
    "runsc_py.runsc.confinement._walls",
    declarations + definitions,
    sources=[str(HERE / name) for name in ("walls.c", "landlock.c", "fork.c")],
    depends=[str(HERE / "walls.h"), str(HERE / "filters.h")],
    include_dirs=[str(HERE)],
    extra_compile_args=["-O2", "-Wall", "-Wextra", "-fvisibility=hidden"],
)
