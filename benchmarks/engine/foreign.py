"""Other tools on a forest of the same size: prints nanoseconds a sample and tree node.

``python benchmarks/engine/foreign.py FILE TARGET TOOL``, in an environment that has the tool;
needs nothing of prodapp, since fasttreeshap runs with older libraries only.
"""

# ruff: noqa: N803, N806  (X and y are the field's names)

import json
import os
import sys
import time
import warnings

import numpy as np
import pandas as pd

N_TREES = 100
N_SAMPLES = 200
CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fasttreeshap(X, y, some):
    import fasttreeshap as package
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(N_TREES, random_state=0, n_jobs=CPUS).fit(X, y)
    n_nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    explainer = package.TreeExplainer(forest, algorithm="auto", n_jobs=CPUS)
    return n_nodes, lambda: explainer(some, check_additivity=False)


def xgboost(X, y, some):
    import xgboost as package

    forest = package.XGBRFRegressor(
        n_estimators=N_TREES, max_depth=12, random_state=0, n_jobs=CPUS
    ).fit(X, y)
    booster = forest.get_booster()
    n_nodes = len(booster.trees_to_dataframe())
    return n_nodes, lambda: booster.predict(package.DMatrix(some), pred_contribs=True)


def lightgbm(X, y, some):
    import lightgbm as package

    forest = package.LGBMRegressor(
        boosting_type="rf",
        n_estimators=N_TREES,
        num_leaves=1000,
        min_child_samples=1,
        subsample=0.632,
        subsample_freq=1,
        verbose=-1,
        random_state=0,
        n_jobs=CPUS,
    ).fit(X, y)
    n_leaves = sum(tree["num_leaves"] for tree in forest.booster_.dump_model()["tree_info"])
    return 2 * n_leaves - N_TREES, lambda: forest.predict(some, pred_contrib=True)


def shap(X, y, some):
    import shap as package
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(N_TREES, random_state=0, n_jobs=CPUS).fit(X, y)
    n_nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    explainer = package.TreeExplainer(forest, feature_perturbation="tree_path_dependent")
    return n_nodes, lambda: explainer.shap_values(some[:20], check_additivity=False)


def prodapp(X, y, some):
    from sklearn.ensemble import RandomForestRegressor

    from prodapp.ml import treeshap
    from prodapp.ml.ensembles import collect_forest, compared

    forest = RandomForestRegressor(N_TREES, random_state=0, n_jobs=CPUS).fit(X, y)
    trees, samples = collect_forest(forest), compared(forest, some)
    return len(trees.left), lambda: treeshap.shap_values(
        trees, samples, n_jobs=CPUS, on_share=lambda _: None
    )


TOOLS = {tool.__name__: tool for tool in (prodapp, shap, fasttreeshap, xgboost, lightgbm)}


def main():
    warnings.simplefilter("ignore")
    path, target, name = sys.argv[1:4]
    frame = pd.read_csv(path)
    X, y = frame.drop(columns=[target]).to_numpy(dtype=float), frame[target].to_numpy(dtype=float)
    some = np.tile(X[:N_SAMPLES], (10, 1)) if name == "prodapp" else X[:N_SAMPLES]
    n_nodes, explain = TOOLS[name](X, y, some)
    if name == "prodapp":
        explain()  # once for the compiler
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        explain()
        seconds.append(time.perf_counter() - started)
    n_samples = 20 if name == "shap" else len(some)
    median = float(np.median(seconds))
    answer = {
        "n_nodes": n_nodes,
        "milliseconds_a_sample": 1e3 * median / n_samples,
        "nanoseconds_a_node": 1e9 * median / n_samples / n_nodes,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
