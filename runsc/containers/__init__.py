"""Containers as the host sees them: records on disk, locks, hooks, control groups, host processes.

What runs inside a container is the sandbox's business (runsc/loader); here is what the short-lived
commands of a container engine share.
"""
