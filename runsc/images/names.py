"""Names of images, `docker.io/library/alpine:3.20`, and what people write for them."""


def normalized(name: str) -> str:
    """A name as docker has it in full; a name without a tag is that of `latest`."""
    if name.startswith("sha256:"):
        return name
    repository, at, digest = name.partition("@")
    first, slash, rest = repository.partition("/")
    if not slash:
        repository = f"docker.io/library/{repository}"
    elif not ("." in first or ":" in first or first == "localhost"):
        repository = f"docker.io/{repository}"
    elif first == "docker.io" and "/" not in rest:
        repository = f"docker.io/library/{rest}"
    if not at and ":" not in repository.rpartition("/")[2]:
        repository += ":latest"
    return repository + at + digest


def matches(wanted: str, name: str) -> bool:
    """Whether `wanted` means the image `name`.

    By its whole name, in short, by its tag alone, by its digest or the beginning of that.
    """
    if not name:
        return False
    if wanted == name or normalized(wanted) == normalized(name):
        return True
    if name.endswith((f"/{wanted}", f"/{wanted}:latest")):
        return True  # podman's short names are those of localhost
    if name.startswith("sha256:"):
        return is_digest_prefix(wanted, name)
    return ":" in name and wanted == name.rpartition(":")[2]


def is_digest_prefix(wanted: str, digest: str) -> bool:
    """Whether `wanted` is a digest, or at least its first eight digits."""
    digits = wanted.removeprefix("sha256:")
    return len(digits) >= 8 and digest.removeprefix("sha256:").startswith(digits)
