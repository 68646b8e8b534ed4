"""Package managers: dpkg inside the overlay, npm with a local package. pip is in test_python."""

import json
import os
from pathlib import Path

import pytest

from harness.differential import Compare, Find, Inside

NAME = "runsc-py-sample"
SHARED = Path("/usr/share") / NAME
CONFIGURATION = Path("/etc") / f"{NAME}.conf"

CONTROL = f"""Package: {NAME}
Version: 1.0
Architecture: all
Maintainer: A Person <person@example.org>
Description: a package that a test makes
"""
SCRIPT = "#!/bin/sh\nset -e\necho $(basename $0 | sed s/.*[.]//) $1\n"


def make_package(directory: Path) -> None:
    """A package's tree: files, a link, a configuration file, maintainer's scripts."""
    root = directory / "root"
    shared = root / SHARED.relative_to("/")
    shared.mkdir(parents=True)
    (shared / "data").write_text("data of the package\n")
    (shared / "link").symlink_to("data")
    configuration = root / CONFIGURATION.relative_to("/")
    configuration.parent.mkdir()
    configuration.write_text("setting = 1\n")
    control = root / "DEBIAN"
    control.mkdir(mode=0o755)
    (control / "control").write_text(CONTROL)
    (control / "conffiles").write_text(f"{CONFIGURATION}\n")
    for script in ("preinst", "postinst", "prerm", "postrm"):
        (control / script).write_text(SCRIPT)
        (control / script).chmod(0o755)


INSTALL = f"""
dpkg-deb --root-owner-group -b root sample.deb >/dev/null
dpkg -i sample.deb >log 2>&1 || {{ cat log; exit 1; }}
grep -E '^(preinst|postinst)' log
dpkg-query -W -f '${{Package}} ${{Version}} ${{Status}}\\n' {NAME}
dpkg -L {NAME} | grep {NAME} | sort
dpkg -V {NAME}
cat {SHARED}/link
stat -c '%U:%G %a' {SHARED} {SHARED}/data
dpkg -r {NAME} >log 2>&1 || {{ cat log; exit 1; }}
grep -E '^(prerm|postrm)' log
test ! -e {SHARED}
cat {CONFIGURATION}
dpkg -P {NAME} >log 2>&1 || {{ cat log; exit 1; }}
grep -E '^(prerm|postrm)' log
test ! -e {CONFIGURATION}
dpkg-query -W {NAME} 2>/dev/null || echo gone
"""
INSTALLED = f"""preinst install
postinst configure
{NAME} 1.0 install ok installed
{CONFIGURATION}
{SHARED}
{SHARED}/data
{SHARED}/link
data of the package
root:root 755
root:root 644
prerm remove
postrm remove
setting = 1
postrm purge
gone
"""


@pytest.mark.slow
def test_dpkg(program: Find, inside: Inside) -> None:
    """The guest's root installs, removes and purges a package; the host keeps none of it."""
    program("dpkg", "dpkg")
    if not os.access("/var/lib/dpkg/lock", os.R_OK):
        pytest.skip("only the host's root may read dpkg's locks, which the overlay must copy")
    outcome = inside(["/bin/sh", "-ec", INSTALL], prepare=make_package, timeout=120)
    assert outcome.status == 0, outcome.summary()
    assert outcome.stdout.decode() == INSTALLED
    assert not SHARED.exists() and not CONFIGURATION.exists()
    assert f"Package: {NAME}\n" not in Path("/var/lib/dpkg/status").read_text()


def make_node_packages(directory: Path) -> None:
    """A package with a command, and an application that will depend on it."""
    package = directory / "sample"
    package.mkdir()
    description = {"name": "sample", "version": "1.0.0", "main": "main.js"}
    (package / "package.json").write_text(json.dumps({**description, "bin": "command.js"}))
    (package / "main.js").write_text("module.exports = name => `hello ${name}`;\n")
    command = "#!/usr/bin/env node\nconsole.log(require('./main.js')('command'));\n"
    (package / "command.js").write_text(command)
    application = directory / "application"
    application.mkdir()
    scripts = {"postinstall": "echo installed > log", "start": "sample"}
    described = {"name": "application", "version": "1.0.0", "scripts": scripts}
    (application / "package.json").write_text(json.dumps(described))


NPM = """
export npm_config_cache=$PWD/cache npm_config_offline=true npm_config_audit=false
export npm_config_fund=false npm_config_update_notifier=false
npm pack --silent ./sample
cd application
npm install --silent ../sample-1.0.0.tgz
npm install --silent
cat log package.json package-lock.json
find . -type f -o -type l | grep -v lock | sort
node -e "console.log(require('sample')('application'))"
npm start --silent
npm ls
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_npm(program: Find, compare: Compare) -> None:
    """A package is packed, installed with its command and the application's scripts, run."""
    program("npm", "npm")
    compare(["/bin/sh", "-ec", NPM], prepare=make_node_packages, timeout=140)
