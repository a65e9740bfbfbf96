"""Machines: register, list, read, rename, delete."""
