"""In the sandbox: from an OCI specification to mounts, a first process, and its end."""
