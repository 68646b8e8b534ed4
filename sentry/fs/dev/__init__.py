"""/dev: the device registry, the memory devices, and the devtmpfs they appear in."""
