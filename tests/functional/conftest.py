"""Installations of real processes, as the fault suite has them."""

from tests.faults.conftest import (  # noqa: F401 - fixtures and a hook
    database,
    make_installation,
    pytest_runtest_makereport,
)
