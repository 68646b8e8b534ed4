"""Which interpreter guest programs run with: the system's, not the one of our .venv."""

import sys
from pathlib import Path

PYTHON = next(
    str(path)
    for path in (Path("/usr/bin/python3"), Path(sys.base_prefix) / "bin" / "python3")
    if path.exists()
)
