"""The number of this release. The packaging reads it here, too."""

RELEASE = "0.1.0"
SYSTEMS = "reelrun runs on Linux; on Windows, install it in WSL, and run it there"
