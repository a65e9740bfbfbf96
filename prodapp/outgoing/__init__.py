"""Calls to other hosts: where they may go, how they are made and signed."""
