"""The commands of `runsc-py`, one module each with `main(name, arguments) -> int`."""
