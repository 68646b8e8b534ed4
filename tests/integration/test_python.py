"""python3: the modules that lean on the kernel, virtual environments, pip."""

import subprocess
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


def make_source(directory: Path) -> None:
    """The sources of a module, a command and data."""
    source = directory / "sample-1.0"
    (source / "sample").mkdir(parents=True)
    (source / "sample" / "__init__.py").write_text("def main():\n    print('built by pip')\n")
    (source / "sample" / "data.txt").write_text("data\n")
    (source / "setup.py").write_text(
        "from setuptools import setup\n"
        "setup(name='sample', version='1.0', packages=['sample'],\n"
        "      package_data={'sample': ['data.txt']},\n"
        "      entry_points={'console_scripts': ['sample = sample:main']})\n"
    )
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")


BUILD = f"""
tar -czf sample-1.0.tar.gz sample-1.0
{PYTHON} -m venv --system-site-packages env
env/bin/pip install -q --no-index --no-build-isolation --no-cache-dir \
    --disable-pip-version-check ./sample-1.0.tar.gz
env/bin/sample
cat env/lib/python3*/site-packages/sample/data.txt
env/bin/pip show -f sample | grep -v -e ^Location -e __pycache__ | sort
env/bin/pip uninstall -q -y sample
find env -name '*sample*'
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_pip_builds(compare: Compare) -> None:
    """pip unpacks a source distribution, builds a wheel of it with setuptools, installs that."""
    needed = subprocess.run([PYTHON, "-c", "import setuptools, wheel"], capture_output=True)
    if needed.returncode:
        pytest.skip("Debian's packages are python3-setuptools and python3-wheel")
    compare(["/bin/sh", "-ec", BUILD], prepare=make_source, stderr=False, timeout=180)
