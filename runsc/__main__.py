"""`python -m runsc_py.runsc`."""

import sys

from runsc_py.runsc.cli import main

sys.exit(main())
