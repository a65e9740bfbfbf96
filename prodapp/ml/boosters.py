"""XGBoost and LightGBM: fitted with progress, explained by their own SHAP values.

Both compute path-dependent SHAP values themselves, the numbers of ``shap.TreeExplainer``. They are
told to use one thread, here and in :mod:`prodapp.ml.estimators`: their sums are then the same on
every machine, and no pool of OpenMP's is left behind for a fork to stumble over. The packages are
imported where they are needed only.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor

FloatArray = npt.NDArray[np.float64]
OnShare = Callable[[float], None]

#: Samples explained at a time, some tenths of a second of work.
_PORTION: Final = 100


def is_booster(estimator: Any) -> bool:
    """Whether it is one of this module's, unfitted or fitted."""
    return package_of(estimator) in ("xgboost", "lightgbm")


def package_of(estimator: Any) -> str:
    """The package of a booster, "xgboost" or "lightgbm"; of others some other name."""
    return type(inner_of(estimator)).__module__.partition(".")[0]


def unit_of(estimator: Any) -> float:
    """What a booster's own answers are counted in, in the target's unit (1 for classes)."""
    if isinstance(estimator, TransformedTargetRegressor):
        return float(estimator.transformer_.scale_[0])
    return 1.0


def inner_of(estimator: Any) -> Any:
    """The booster that learns the target in its own spread."""
    if isinstance(estimator, TransformedTargetRegressor):
        return getattr(estimator, "regressor_", estimator.regressor)
    return estimator


def fit(estimator: Any, X: FloatArray, y: FloatArray, *, on_share: OnShare) -> None:
    """Fit in place; ``on_share`` hears of each tree, and what it raises ends the fitting."""
    n_trees = inner_of(estimator).n_estimators
    if is_classifier(estimator):
        # XGBoost takes classes numbered without gaps only; a part of the data may lack some.
        y = np.unique(y, return_inverse=True)[1].astype(np.float64)
    if package_of(estimator) == "lightgbm":
        estimator.fit(X, y, callbacks=[lambda at: on_share((at.iteration + 1) / n_trees)])
        return
    outer = estimator.regressor if isinstance(estimator, TransformedTargetRegressor) else estimator
    outer.set_params(callbacks=[_xgboost_callback(n_trees, on_share)])
    try:
        estimator.fit(X, y)
    finally:
        outer.set_params(callbacks=None)
    inner_of(estimator).set_params(callbacks=None)


def _xgboost_callback(n_trees: int, on_share: OnShare) -> Any:
    base: Any = importlib.import_module("xgboost.callback").TrainingCallback

    class Share(base):  # type: ignore[misc]
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
            on_share((epoch + 1) / n_trees)
            return False

    return Share()


def native_importances(estimator: Any) -> FloatArray | None:
    """A fitted estimator's own importances (encoded columns,), those of boosters by gain."""
    inner = inner_of(estimator)
    if package_of(inner) == "lightgbm":
        found: FloatArray = inner.booster_.feature_importance("gain")
        return found
    own = getattr(inner, "feature_importances_", None)
    return None if own is None else np.asarray(own, dtype=np.float64)


def shap_values(estimator: Any, X: FloatArray, *, n_jobs: int = 1, on_share: OnShare) -> FloatArray:
    """SHAP values (scores, samples, encoded columns) of a fitted booster.

    There is one score, the answer in the target's unit or the log-odds of a class, but for
    classifiers of more than two classes, which have one for each. Threads share samples, which both
    libraries allow.
    """
    inner = inner_of(estimator)
    portions = [X[start : start + _PORTION] for start in range(0, len(X), _PORTION)]
    found = []
    with ThreadPoolExecutor(max_workers=n_jobs, thread_name_prefix="shap") as executor:
        futures = [executor.submit(_contributions, inner, portion) for portion in portions]
        try:
            for n_done, future in enumerate(futures, start=1):
                found.append(future.result()[:, :, :-1])
                on_share(n_done / len(portions))
        finally:
            executor.shutdown(cancel_futures=True)
    values = np.concatenate(found).astype(np.float64).transpose(1, 0, 2)
    return values * unit_of(estimator)


def _contributions(inner: Any, X: FloatArray) -> FloatArray:
    """Those of each sample (samples, scores, columns), the expected score last."""
    if package_of(inner) == "lightgbm":
        found: FloatArray = inner.predict(X, pred_contrib=True)
    else:
        data = importlib.import_module("xgboost").DMatrix(X, nthread=1)
        found = inner.get_booster().predict(data, pred_contribs=True)
    return found.reshape(len(X), -1, X.shape[1] + 1)
