"""What `--image TEXT` means: an archive or a directory of the host, or an image of the cache.

PATH            a directory or a file
PATH#NAME       of several images the one called so, or the one with that digest
PATH:NAME       the same, where no file is called all of it
NAME, DIGEST    an image of the cache, where no file is called so
"""

import os


class Reference:
    """A parsed one.  `path` is None for an image of the cache, which `name` names then."""

    __slots__ = ("name", "path", "text")

    def __init__(self, text: str, path: str | None, name: str) -> None:
        self.text = text
        self.path = path
        self.name = name


def parse_reference(text: str) -> Reference:
    """A file that is called all of it comes first, then one called all up to a `#` or a `:`."""
    if os.path.exists(text):
        return Reference(text, os.path.abspath(text), "")
    for separator in ("#", ":"):
        place = text.find(separator)
        while place >= 0:
            if place and os.path.exists(text[:place]):
                return Reference(text, os.path.abspath(text[:place]), text[place + 1 :])
            place = text.find(separator, place + 1)
    return Reference(text, None, text)
