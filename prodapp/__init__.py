"""prodapp: which variables drive a machine's production, in which direction, how surely."""

from prodapp.app import create_app

__all__ = ["create_app"]
