"""`python -m runner` is `reelrun`."""

import sys

from runner.cli.main import main

sys.exit(main())
