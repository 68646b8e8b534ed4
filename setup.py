"""Maps the four top-level folders onto one package and declares the compiled modules.

`platform/` must not have an `__init__.py`: with one, it would hide the standard
library's `platform` from every tool that is started in this directory.
"""

import sysconfig

from setuptools import find_packages, setup

ROOT = "runsc_py"
PARTS = ("sentry", "platform", "gofer", "runsc")
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))  # has no abi3

setup(
    package_dir={f"{ROOT}.{part}": part for part in PARTS},
    packages=[
        f"{ROOT}.{name}"
        for part in PARTS
        for name in (part, *(f"{part}.{sub}" for sub in find_packages(part)))
    ],
    # Not an entry point: the file says why.
    scripts=["runsc/scripts/runsc-py"],
    cffi_modules=[
        "platform/ptrace/native/build_hot.py:ffibuilder",
        "gofer/native/build_host.py:ffibuilder",
        "runsc/confinement/native/build_walls.py:ffibuilder",
    ],
    options={} if FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
