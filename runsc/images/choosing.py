"""Which image of the cache is meant by what somebody wrote."""

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.images.cache import ImageCache
from runsc_py.runsc.images.names import is_digest_prefix, matches


def choose(cache: ImageCache, wanted: str, complaint: str) -> str:
    """The digest of the one image that `wanted` means: a name, a short one, part of a digest.

    Raises RunscError, which begins with `complaint`, when it is none or more than one.
    """
    digests = cache.digests()
    found = {digest for digest in digests if is_digest_prefix(wanted, digest)}
    found |= {
        digest
        for name, digest in cache.names().items()
        if digest in digests and matches(wanted, name)
    }
    if len(found) == 1:
        return found.pop()
    if not found:
        raise RunscError(f"{complaint} no image of this name is in the cache; see runsc-py images")
    raise RunscError(f"{complaint} several images are called so: {', '.join(sorted(found))}")
