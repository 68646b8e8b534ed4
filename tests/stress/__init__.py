"""Debian's stress-ng in the sandbox: nothing wrong, nothing stuck, nothing left behind."""
