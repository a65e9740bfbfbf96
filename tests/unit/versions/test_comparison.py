from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from prodapp.caller import Caller
from prodapp.exceptions import Conflict
from prodapp.extensions import command
from prodapp.ml.held_out import HeldOut, dump_held_out
from prodapp.models import ModelVersion
from prodapp.storage import storage
from prodapp.versions.comparison import compare
from prodapp.versions.sentences import what_moved, who_is_better
from tests.factories import make_machine, make_sibling

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
Versions = list[ModelVersion]


def keep(version: ModelVersion, *, error: float, rows: range = range(60)) -> None:
    """Give a version held-out samples that it missed by about ``error``."""
    rng = np.random.default_rng(version.id)
    places = np.array(rows, dtype=np.intp)
    actual = np.sin(places)
    held_out = HeldOut(places, actual, actual + rng.normal(0, error, len(places)), False)
    change(version, held_out_key=storage().put(io.BytesIO(dump_held_out(held_out))).key)


def change(row: Any, **values: Any) -> None:
    with command() as session:
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


def test_the_better_one_is_named_whichever_comes_first(versions: Versions, owner: Caller) -> None:
    first, second, _ = versions
    keep(first, error=0.5)
    keep(second, error=0.1, rows=range(10, 60))
    found, turned = compare(owner, first.id, second.id), compare(owner, second.id, first.id)
    assert found.duel is not None
    assert turned.duel is not None
    assert (found.duel["n"], found.duel["is_better"]) == (50, True)
    assert turned.duel["is_worse"]
    assert turned.duel["gain"] == pytest.approx(-found.duel["gain"])
    for one in (found, turned):
        assert who_is_better(one).startswith("Version 2 is better than version 1 beyond the noise")


def test_versions_that_differ_by_noise_are_called_neither(
    versions: Versions, owner: Caller
) -> None:
    first, second, _ = versions
    keep(first, error=0.3)
    keep(second, error=0.3)
    assert who_is_better(compare(owner, first.id, second.id)).startswith("Neither is better")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"target": "other"}, "different targets"),
        ({"held_out_key": None}, "did not keep"),
    ],
)
def test_where_it_cannot_be_told_the_reason_is(
    versions: Versions, owner: Caller, values: dict[str, Any], reason: str
) -> None:
    first, second, _ = versions
    change(second, **values)
    found = compare(owner, first.id, second.id)
    assert found.duel is None
    assert reason in who_is_better(found)


def test_too_few_shared_samples_tell_nothing(versions: Versions, owner: Caller) -> None:
    first, second, _ = versions
    keep(first, error=0.1)
    keep(second, error=0.1, rows=range(50, 90))
    assert "share only 10 held-out samples" in who_is_better(compare(owner, first.id, second.id))


def test_of_other_data_the_duel_that_was_kept_counts(versions: Versions, owner: Caller) -> None:
    first, second, _ = versions
    change(second.run, exclusions=[{"label": "start-up"}])
    assert "different data" in who_is_better(compare(owner, first.id, second.id))
    keep(first, error=0.1)
    keep(second, error=0.1)
    same = make_sibling(first)
    keep(same, error=0.5)
    duel = compare(owner, first.id, same.id).duel
    trial = {"champion_id": first.id, "champion_number": 1, "duel": duel, "n_learned": 0}
    change(second, promotion={"rule": "newest", "is_promoted": True, "trial": trial})
    found, turned = compare(owner, first.id, second.id), compare(owner, second.id, first.id)
    assert found.duel == duel
    assert turned.duel is not None
    assert (turned.duel["gain"], turned.duel["low"]) == (-duel["gain"], -duel["high"])
    for one in (found, turned):
        assert who_is_better(one).startswith("Version 1 is better than version 2")


def test_a_variable_has_moved_where_its_possible_ranks_do_not_meet(
    versions: Versions, owner: Caller
) -> None:
    first, second, _ = versions
    change(first, evidence=judged(first, heat=(1, 1), speed=(2, 3), noise=(4, 4)))
    change(second, evidence=judged(second, heat=(2, 4), speed=(1, 2)))
    found = compare(owner, first.id, second.id)
    moved = {row.feature: row.is_beyond for row in found.ranking}
    assert moved == {"heat": True, "speed": False, "shift": None, "noise": None}
    assert what_moved(found) == "1 variable moved beyond its possible ranks: heat."
    same = compare(owner, first.id, first.id)
    assert "No variable moved" in what_moved(same)
    assert same.differences == ()


def judged(version: ModelVersion, **ranks: tuple[int, int]) -> dict[str, Any]:
    """The version's evidence with these possible ranks and no others."""
    one = {
        "verdict": "real",
        "gain": 0.5,
        "low": 0.4,
        "high": 0.6,
        "p_value": 0.001,
        "n_effective": 30,
    }
    variables = {name: {**one, "first": low, "last": high} for name, (low, high) in ranks.items()}
    return {**version.evidence, "trust": {"variables": variables, "groups": []}}


def test_what_was_done_differently_is_listed(versions: Versions, owner: Caller) -> None:
    first, second, _ = versions
    libraries = {**second.library_versions, "scikit-learn": "0.1"}
    change(
        second,
        specification={**second.specification, "test_size": 0.3},
        evidence={**second.evidence, "algorithm": "ridge", "hyperparameters": {"alpha": 2.0}},
        library_versions=libraries,
    )
    found = {
        row.name: (row.first, row.second) for row in compare(owner, first.id, second.id).differences
    }
    assert found["test_size"][1] == "0.3"
    assert found["algorithm"] == ("random_forest", "ridge")
    assert found["hyperparameters.alpha"] == (None, "2.0")
    assert found["libraries.scikit-learn"][1] == "0.1"
    assert "target" not in found


def test_versions_of_different_machines_are_not_compared(versions: Versions, owner: Caller) -> None:
    other = make_machine(owner, name="Press 02")
    change(versions[1], machine_id=other.id)
    with pytest.raises(Conflict) as caught:
        compare(owner, versions[0].id, versions[1].id)
    assert caught.value.error_code == "other_machine"
