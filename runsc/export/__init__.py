"""What a program changed, handed back: `run --export`, `run --diff`, and `runsc-py diff`.

    session.py     one run's: what it was before, and what is told afterwards
    target.py      where it goes, looked at before
    layer.py       changes of the overlay as a tar stream: a layer, as OCI images have them
    receiver.py    the process that writes it to the host: a directory or an archive
    listing.py     lists of changes, for people and programs

The sentry writes a stream to a socket and names no host path.  The receiver is forked before
anything of the sandbox exists; it believes nothing that it reads, and lets what it made be seen
once it is complete.
"""
