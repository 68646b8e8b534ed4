"""The command line that runs a program in the sandbox."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

EXECUTABLE = Path(sys.executable).parent / "runsc-py"


def command(
    program: Sequence[str | os.PathLike[str]], options: Sequence[str] = ()
) -> list[str | os.PathLike[str]]:
    """`runsc-py run [options] -- program…`"""
    return [EXECUTABLE, "run", *options, "--", *program]
