"""The control socket of a sandbox: what is said (calls.py), how (wire.py, codec.py), by whom.

client.py is the command line's and the Python API's side; server.py answers in the sandbox.
"""
