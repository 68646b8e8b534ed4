"""How long until a program has run: from starting the command to its end."""

from benchmarks.measure import Duration

QUESTIONS = [
    Duration("start of /bin/true", ["/bin/true"]),
    Duration("start of python3 -c pass", ["/usr/bin/python3", "-c", "pass"]),
]
