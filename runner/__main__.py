"""`python -m runner` is `reelrun`."""

from runner.cli.main import start

start()
