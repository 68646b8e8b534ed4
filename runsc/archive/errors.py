"""What is wrong with an archive."""


class ArchiveError(Exception):
    """The archive is damaged, hostile, or of a kind that is not understood; one line says why."""
