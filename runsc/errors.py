"""Failures that the person at the command line is told about, in one line that says what to do."""

#: exit statuses, as docker(1), env(1) and timeout(1) use them
EXIT_TIME_LIMIT = 124
EXIT_FAILURE = 125
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127
EXIT_SIGNAL_BASE = 128


class RunscError(Exception):
    """Our own failure; `status` is what the process exits with."""

    def __init__(self, message: str, status: int = EXIT_FAILURE) -> None:
        super().__init__(message)
        self.status = status
