"""The proc file system: proc(5).

    filesystem.py     the root directory, self and thread-self
    process.py        the directories of processes and threads
    process_status.py stat, statm, status
    process_files.py  the other text files of a process
    process_links.py  exe, cwd, root, ns/*
    descriptors.py    fd/ and fdinfo/
    access.py         who may look into another process
    id_maps.py        uid_map, gid_map, setgroups
    process_memory.py mem
    mounts.py         mounts, mountinfo, mountstats
    process_table.py  which names the directory of a process has
    machine_table.py  which names /proc has
    machine.py        cpuinfo, meminfo, stat, uptime and the like
    locks.py          locks
    sysvipc.py        sysvipc/
    network.py        net/, with sockets.py for the tables of sockets
    settings.py       sys/

Only filesystem.py is imported when proc is mounted; the others when somebody looks.
"""
