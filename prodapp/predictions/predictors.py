"""Versions made ready to answer, once in each process, the least used ones given up for others."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app
from sqlalchemy.orm import undefer

from prodapp.artifacts import open_artifact
from prodapp.exceptions import Conflict, N_
from prodapp.extensions import db
from prodapp.models import ModelVersion
from prodapp.predictions.versions import ServedVersion

if TYPE_CHECKING:
    from prodapp.ml.serving.predictor import Predictor

EXTENSION = "prodapp.predictors"
Key = tuple[str, int]


class PredictorCache:
    """At most ``max_bytes`` of predictors, by what they say they hold; the newest always stays.

    Who asks for one that is being loaded waits for it alone: nobody else does.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Future[Predictor]] = OrderedDict()

    def get(self, key: Key, load: Callable[[], Predictor]) -> Predictor:
        """The predictor kept under ``key``, or what ``load`` returns; an error is not kept."""
        with self._lock:
            future = self._kept.get(key)
            is_mine = future is None
            if future is None:
                future = self._kept[key] = Future()
            self._kept.move_to_end(key)
        if not is_mine:
            return future.result()
        try:
            future.set_result(load())
        except BaseException as error:
            with self._lock:
                self._kept.pop(key, None)
            future.set_exception(error)
            raise
        self._give_up()
        return future.result()

    def __len__(self) -> int:
        return len(self._kept)

    def _give_up(self) -> None:
        with self._lock:
            sizes = {
                key: future.result().n_bytes
                for key, future in self._kept.items()
                if future.done() and future.exception() is None
            }
            n_bytes = sum(sizes.values())
            for key in list(sizes)[:-1]:
                if n_bytes <= self._max_bytes:
                    return
                n_bytes -= sizes[key]
                del self._kept[key]


def init_app(app: Flask, max_bytes: int) -> None:
    """Give ``app`` room for predictors."""
    app.extensions[EXTENSION] = PredictorCache(max_bytes)


def predictor_of(version: ServedVersion) -> Predictor:
    """The predictor of a version, loaded at its first use in this process.

    Raises :class:`Conflict` where the version cannot predict, and :class:`DataRefused` as
    :func:`open_artifact` does.
    """
    cache = cast(PredictorCache, current_app.extensions[EXTENSION])
    return cache.get((version.artifact_key, version.id), lambda: _load(version))


def _load(version: ServedVersion) -> Predictor:
    # Imported here: scikit-learn takes seconds, which only a process that predicts has to spend.
    from prodapp.ml.serving.predictor import Predictor
    from prodapp.ml.serving.reference import Reference

    row = db.session.get_one(ModelVersion, version.id, options=[undefer(ModelVersion.reference)])
    if row.reference is None:
        raise Conflict(
            N_(
                "Version %(number)s was trained before predictions had intervals. Train it again: "
                "its run offers that."
            ),
            code="cannot_predict",
            number=version.number,
        )
    return Predictor(open_artifact(row), Reference.from_json(row.reference))
