"""The process that holds the host's files, and the sentry's connection to it (README.md).

process.start_gofer forks it, client.GoferClient talks to it.  It imports nothing of the sentry;
of the sentry, only sentry/fs/gofer* imports the client.
"""
