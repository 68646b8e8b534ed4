"""Control calls beside the life of containers: files, ports, memory, logging, stacks.

They look at a sandbox or pass bytes in and out of it; nothing here starts or ends a process.
Neighbours: loader/manager.py has the calls of a container's life.
"""
