"""`python -m runsc_py.runsc`."""

from runsc_py.runsc.cli import command

command()
