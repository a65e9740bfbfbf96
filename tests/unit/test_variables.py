from __future__ import annotations

from typing import Any

import pytest

from prodapp.exceptions import InvalidInput
from prodapp.variables import ColumnSettings, TableSettings, merged


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"columns": (ColumnSettings("a", role="king"),)}, "/columns/0/role"),
        ({"columns": (ColumnSettings("a"), ColumnSettings("a"))}, "/columns/1/name"),
        ({"columns": (ColumnSettings("a", label="x" * 201),)}, "/columns/0/label"),
        ({"columns": (ColumnSettings("a", unit="x" * 41),)}, "/columns/0/unit"),
        ({"columns": (ColumnSettings("a", role="target"),), "target": "b"}, "/target"),
        ({"columns": (ColumnSettings("a", role="lever"),), "target": "a"}, "/target"),
        (
            {"columns": (ColumnSettings("a", role="target"), ColumnSettings("b", role="target"))},
            "/target",
        ),
        ({"target": "a", "sense": "up"}, "/sense"),
        ({"sense": "raise"}, "/target"),
        ({"target": "a", "sense": "hold"}, "/goal"),
        ({"target": "a", "sense": "raise", "goal": 1.0}, "/goal"),
    ],
)
def test_settings_that_cannot_be_are_pointed_at(given: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        TableSettings(**given)
    assert [field.pointer for field in caught.value.fields] == [pointer]


def test_the_target_can_be_named_by_its_role() -> None:
    settings = TableSettings(columns=(ColumnSettings("a"), ColumnSettings("b", role="target")))
    assert settings.target == "b"


def test_settings_survive_their_document_and_keys_of_later_releases() -> None:
    settings = TableSettings(
        columns=(ColumnSettings("a", "A", "°C", "lever"),), target="b", sense="hold", goal=2.5
    )
    document = settings.to_json()
    document["columns"][0]["colour"] = "red"
    assert TableSettings.from_json(document | {"later": 1}) == settings
    assert TableSettings.from_json(None) == TableSettings()


def test_a_target_that_got_another_role_is_none_any_more() -> None:
    before = TableSettings(target="a", sense="raise")
    said = TableSettings(columns=(ColumnSettings("a", role="context"),))
    assert merged(before, said, names=["a", "b"]).target is None
    assert merged(before, TableSettings(), names=["b"]).target is None
    kept = merged(before, TableSettings(), names=["a", "b"])
    assert (kept.target, kept.sense) == ("a", "raise")
