"""The number of this release. The packaging reads it here, too."""

RELEASE = "0.1.0"
