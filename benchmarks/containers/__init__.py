"""Questions about OCI runtimes: bundles of busybox, and the runtimes that are installed."""
