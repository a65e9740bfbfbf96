"""The tests, as a package: another one of this name must not take its place."""
