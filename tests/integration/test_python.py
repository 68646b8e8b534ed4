"""python3: the modules that lean on the kernel, virtual environments, pip."""

import zipfile
from pathlib import Path

import pytest

from harness.differential import Compare
from harness.programs import PYTHON

SCRIPTS = sorted((Path(__file__).parent / "programs").glob("*_.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem.rstrip("_"))
def test_script(script: Path, compare: Compare) -> None:
    """Output and status are those of the native run."""
    compare([PYTHON, script], timeout=90)


def make_wheel(directory: Path) -> None:
    """A wheel of one module and one command."""
    info = "sample-1.0.dist-info"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {
        "sample.py": "def main():\n    print('installed by pip')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n",
        f"{info}/WHEEL": tags,
        f"{info}/entry_points.txt": "[console_scripts]\nsample = sample:main\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(directory / "sample-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(zipfile.ZipInfo(name), content)


INSTALL = f"""
{PYTHON} -m venv env
env/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'
env/bin/pip install -q --no-index --no-cache-dir --disable-pip-version-check sample*.whl
env/bin/sample
env/bin/pip list --format=freeze --disable-pip-version-check | grep sample
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_venv_and_pip(compare: Compare) -> None:
    """A virtual environment is made, pip installs a wheel into it, its command runs."""
    compare(["/bin/sh", "-ec", INSTALL], prepare=make_wheel, timeout=180)
