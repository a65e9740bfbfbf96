from __future__ import annotations

import io
from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np
import pytest

from prodapp.exceptions import NotFound
from prodapp.extensions import command
from prodapp.ml.held_out import HeldOut, dump_held_out
from prodapp.models import ModelVersion
from prodapp.storage import storage
from prodapp.versions.drawing import png_of, svg_of
from prodapp.versions.pictures import MAX_DOTS, Picture, picture_of, pictures

pytestmark = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
Versions = list[ModelVersion]


def keep(version: ModelVersion, residuals: Sequence[float], *, is_ordered: bool = True) -> None:
    """Give a version held-out samples that it missed by ``residuals``, from low to high ones."""
    places = np.arange(len(residuals))
    predicted = places / 10
    held_out = HeldOut(places, predicted + np.asarray(residuals), predicted, is_ordered)
    with command() as session:
        version.held_out_key = storage().put(io.BytesIO(dump_held_out(held_out))).key
        session.add(version)


def by_key(version: ModelVersion) -> dict[str, Picture]:
    return {picture.key: picture for picture in pictures(version)}


def test_every_picture_has_a_finding_its_data_and_a_drawing_of_all_of_them(
    versions: Versions,
) -> None:
    found = by_key(versions[0])
    assert set(found) >= {"predicted", "residuals", "folds", "dependence-1", "dependence-2"}
    assert "residuals-over-time" not in found  # the rows are in no order
    for picture in found.values():
        assert picture.finding.endswith(".")
        assert len(picture.plot.dots) == len(picture.rows)
        assert all(len(row) == len(picture.headers) for row in picture.rows)
    assert found["dependence-1"].finding.startswith("Raising heat tends to raise yield.")
    assert len(found["predicted"].rows) == versions[0].metrics["n_test"]


@pytest.mark.parametrize(
    ("spread", "told"),
    [
        (lambda p: 1 + 0 * p, "about as large"),
        (lambda p: 0.1 + p / 50, "Errors grow"),
        (lambda p: 4.1 - p / 50, "Errors shrink"),
    ],
)
def test_errors_that_depend_on_the_prediction_are_told(
    versions: Versions, spread: object, told: str
) -> None:
    rng = np.random.default_rng(0)
    keep(versions[0], rng.normal(size=200) * spread(np.arange(200)))  # type: ignore[operator]
    assert told in picture_of(versions[0], "residuals").finding


@pytest.mark.parametrize(
    ("drift", "told"), [(0.0, "no trend"), (0.03, "too little"), (-0.03, "too much")]
)
def test_errors_that_move_in_time_are_told(versions: Versions, drift: float, told: str) -> None:
    rng = np.random.default_rng(0)
    keep(versions[0], rng.normal(size=200) + drift * np.arange(200))
    assert told in picture_of(versions[0], "residuals-over-time").finding


def test_waves_are_no_trend(versions: Versions) -> None:
    rng = np.random.default_rng(0)
    n_told = 0
    for _ in range(30):
        noise, wave = rng.normal(size=300), np.zeros(300)
        for place in range(1, 300):
            wave[place] = 0.9 * wave[place - 1] + noise[place]
        keep(versions[0], wave)
        n_told += "no trend" not in picture_of(versions[0], "residuals-over-time").finding
    assert n_told <= 3


def test_large_sets_are_thinned_evenly(versions: Versions) -> None:
    keep(versions[0], np.zeros(5_001))
    rows = picture_of(versions[0], "predicted").rows
    assert 400 <= len(rows) <= MAX_DOTS
    steps = np.diff([row[0] for row in rows])
    assert np.allclose(steps, steps[0])


def test_a_version_without_the_file_is_drawn_from_its_row(versions: Versions) -> None:
    with command() as session:
        versions[0].held_out_key = None
        session.add(versions[0])
    assert len(picture_of(versions[0], "predicted").rows) == len(versions[0].evidence["held_out"])
    keep(versions[0], [0.0] * 30)
    storage().delete(versions[0].held_out_key or "")
    assert len(picture_of(versions[0], "predicted").rows) == len(versions[0].evidence["held_out"])


def test_a_drawing_is_a_file_of_its_own(versions: Versions) -> None:
    picture = picture_of(versions[0], "predicted")
    root = ElementTree.fromstring(svg_of(picture))  # noqa: S314 - our own
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == len(picture.rows)
    assert picture.finding in root.attrib["aria-label"]
    drawn = png_of(picture)
    assert drawn.startswith(b"\x89PNG")
    width = int.from_bytes(drawn[16:20], "big")
    assert width > 1000


def test_hostile_names_stay_text(versions: Versions) -> None:
    name = '<script>"x"</script> & #image("y")'
    with command() as session:
        versions[0].ranking[0].feature = name
        session.add(versions[0])
    picture = picture_of(versions[0], "dependence-1")
    assert name in ElementTree.fromstring(svg_of(picture)).attrib["aria-label"]  # noqa: S314
    assert png_of(picture).startswith(b"\x89PNG")


def test_an_unknown_picture_is_missing(versions: Versions) -> None:
    with pytest.raises(NotFound, match="no picture luck"):
        picture_of(versions[0], "luck")
