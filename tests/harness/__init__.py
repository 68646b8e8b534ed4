"""The test machinery: runs a program natively and in the sandbox, and compares.

Modules, lowest first::

    processes    run one command in a session of its own, kill its tree, find leaks
    outcome      what a run left: status, output, files; and how two of them differ
    compiler     C sources to programs, kept by content
    sandbox      the `runsc-py run` command line
    guest        one guest program of tests/syscalls and its directives
    differential a run natively, a run inside, compared
"""
