"""Which prodapp this is."""

VERSION = "0.1.0"
