"""The whole of prodapp on one machine under one process: ``python -m prodapp.supervisor``."""
