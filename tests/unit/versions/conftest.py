from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from prodapp.extensions import db
from prodapp.models import ModelVersion
from tests.factories import make_sibling


@pytest.fixture
def versions(filled: Flask) -> list[ModelVersion]:
    """Three versions of one machine, the last one in use."""
    first = db.session.scalars(select(ModelVersion)).one()
    return [first, make_sibling(first), make_sibling(first)]
