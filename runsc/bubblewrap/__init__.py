"""bubblewrap's command line: an empty root that is filled by options, in their order.

parsing.py reads it, building.py does what it asks for inside the sandbox.  Namespaces need not be
asked for: a sandbox has all of its own in any case, but for `--share-net`.
"""
