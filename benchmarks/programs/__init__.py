"""Questions about whole programs: each module has a `QUESTION`."""
