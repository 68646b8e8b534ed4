"""What a process of ours can still reach of the host, once it has all it needs."""
