"""Images: what `--image` names, unpacked once into a cache.

    reference.py   what the option's text means: a path, a name, which image of several
    sources.py     where blobs come from: a directory, an archive
    documents.py   JSON that somebody sent
    oci.py         an OCI layout: index, manifests, platforms
    docker.py      what `docker save` writes
    manifest.py    what both come to: a configuration and layers, with their digests
    config.py      what an image says about how to run it
    names.py       names of images, in full and in short
    cache.py       images on the disk, their locks and names
    choosing.py    which image of the cache is meant by a name
    owners.py      owners that an ordinary user could not give to the files
    preparing.py   from a source into the cache, everything verified
    progress.py    what is said meanwhile
    running.py     `run --image`

A run whose image is in the cache imports reference, config, cache, owners and running, no more.
"""
