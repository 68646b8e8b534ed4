"""`run --image`: find or make the image, and take over what it says about how it is run."""

import os

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.images.cache import ImageCache, StoredImage, source_key
from runsc_py.runsc.images.config import ImageConfig
from runsc_py.runsc.images.owners import read_owners
from runsc_py.runsc.images.reference import Reference, parse_reference
from runsc_py.runsc.options import RunOptions

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class PreparedImage:
    """A root directory on the host, and how to run what is in it.

    As long as this is open nobody removes it.
    """

    __slots__ = ("_stored", "config", "root")

    def __init__(self, root: str, config: ImageConfig, stored: StoredImage | None) -> None:
        self.root = root
        self.config = config
        self._stored = stored

    @property
    def digest(self) -> str | None:
        """Of an image; a plain directory has none."""
        return self._stored.digest if self._stored is not None else None

    @property
    def path(self) -> str | None:
        """Of an image's directory in the cache; a plain directory has none."""
        return self._stored.path if self._stored is not None else None

    def owners(self) -> dict[int, tuple[int, int, int]] | None:
        """Owners that its files could not be given; None when they have the right ones."""
        if self._stored is None or os.geteuid() == 0:
            return None
        return read_owners(self._stored.path, self._stored.root)

    def close(self) -> None:
        """It may be removed now."""
        if self._stored is not None:
            self._stored.close()


def prepare_image(text: str) -> PreparedImage:
    """What `--image TEXT` names, unpacked if need be.  Raises RunscError."""
    reference = parse_reference(text)
    if reference.path is not None and _is_plain_directory(reference.path):
        if reference.name:
            raise RunscError(f"--image {text}: a root directory has no images to choose from")
        return PreparedImage(reference.path, ImageConfig(), None)
    cache = ImageCache()
    try:
        stored = _find(cache, reference)
        if stored is None:
            from runsc_py.runsc.images.preparing import prepare

            stored = prepare(cache, reference)
    finally:
        cache.close()
    stored.touch()
    return PreparedImage(stored.root, stored.config, stored)


def _is_plain_directory(path: str) -> bool:
    """Whether it is a directory that is no OCI layout."""
    return os.path.isdir(path) and not os.path.exists(os.path.join(path, "oci-layout"))


def _find(cache: ImageCache, reference: Reference) -> StoredImage | None:
    """An image that is in the cache already."""
    if reference.path is None:
        return _find_named(cache, reference.name)
    path = reference.path
    if os.path.isdir(path):
        path = os.path.join(path, "index.json")
    try:
        key = source_key(os.stat(path), reference.name)
    except OSError as error:
        raise RunscError(f"--image {reference.text}: {error.strerror}") from None
    digest = cache.source(key) if key is not None else None
    return cache.find(digest) if digest is not None else None


def _find_named(cache: ImageCache, name: str) -> StoredImage:
    """An image by a name that it was given, or by its digest."""
    digest = cache.named(name)
    if digest is None:
        from runsc_py.runsc.images.choosing import choose

        digest = choose(cache, name, f"--image {name}: no such file, and")
    stored = cache.find(digest)
    if stored is None:
        raise RunscError(f"--image {name}: it was just removed")
    return stored


def apply_image(options: RunOptions, image: PreparedImage) -> None:
    """Let a run have the image's root, and what it says where the command line does not.

    The environment is the image's: of the caller's own only what was asked for by name, and TERM.
    """
    config = image.config
    options.rootfs = image.root
    options.is_image = True
    options.owners = image.owners()
    options.command = config.words(options.command, options.entrypoint)
    if not options.command:
        raise RunscError("no command given, and the image has none; add -- COMMAND")
    environment = {"PATH": DEFAULT_PATH, "HOME": "/"}
    if "TERM" in os.environ:
        environment["TERM"] = os.environ["TERM"]
    configured = config.variables()
    options.keeps_home = options.keeps_home or "HOME" in configured
    options.environment = environment | configured | options.assignments
    options.user = options.user or config.user or "0"
    if options.working_directory is None:
        options.working_directory = config.working_directory or "/"
