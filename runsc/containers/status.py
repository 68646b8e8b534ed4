"""The states of a container, and which may follow which."""

CREATING = "creating"
CREATED = "created"
RUNNING = "running"
PAUSED = "paused"
STOPPED = "stopped"

STATUSES = (CREATING, CREATED, RUNNING, PAUSED, STOPPED)

#: status → what it may become; everything may end
TRANSITIONS = {
    CREATING: (CREATED, STOPPED),
    CREATED: (RUNNING, STOPPED),
    RUNNING: (PAUSED, STOPPED),
    PAUSED: (RUNNING, STOPPED),
    STOPPED: (),
}


class IllegalTransition(Exception):
    """A bug of ours: whoever changes a status has checked before that it may."""


def check_transition(old: str, new: str) -> None:
    """Raises IllegalTransition unless a container in state `old` may come to `new`."""
    if new not in TRANSITIONS[old]:
        raise IllegalTransition(f"a container that is {old} cannot become {new}")
