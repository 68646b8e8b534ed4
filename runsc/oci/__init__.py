"""The OCI runtime specification: `config.json` as typed objects, read, checked and written.

Only the commands that take a bundle import anything of this folder; the plain `run` does not.
"""
