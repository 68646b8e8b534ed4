"""Files that others read at any moment: written beside and renamed, so that nobody reads half."""

import os


def replace_file(path: str, content: bytes, mode: int = 0o666) -> None:
    """Put a file in the place of an older one, whole or not at all.  Raises OSError."""
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name[:200]}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
