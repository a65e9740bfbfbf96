"""Targets that were calculated from columns, and processes that only look like it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prodapp.ml.intake import read_table
from prodapp.ml.profile import suspect_leaks
from prodapp.ml.profile.formulas import formula_pairs, parts_of_product, parts_of_sum
from tests.unit.ml.conftest import describe


def positive(n: int = 400, names: str = "abcd", seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.gamma(4, 2, n) + 1 for name in names}


def test_parts_of_a_sum_and_of_a_product_are_named() -> None:
    x = positive()
    assert parts_of_sum(x, x["a"] + x["c"] - x["d"]) == ("a", "c", "d")
    assert parts_of_product(x, 3.6 * x["a"] * x["b"] / x["d"]) == ("a", "b", "d")


def test_what_has_noise_or_weights_is_no_sum_and_no_product() -> None:
    x, noise = positive(), np.random.default_rng(1).normal(size=400)
    assert parts_of_sum(x, x["a"] + x["c"] + 0.3 * noise) == ()
    assert parts_of_sum(x, 2 * x["a"] + 0.3 * x["c"]) == ()
    assert parts_of_product(x, x["a"] * x["b"] * np.exp(0.1 * noise)) == ()
    assert parts_of_product(x, x["a"] * x["b"] - 1000) == ()


def test_a_product_of_columns_is_suspected_at_intake_too() -> None:
    x = positive(names="abc")
    frame = pd.DataFrame({**x, "y": x["a"] * x["b"]})
    found = suspect_leaks(frame, describe(frame), target="y")
    assert [(s.name, s.together) for s in found] == [("a", ("a", "b")), ("b", ("a", "b"))]


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: x["a"] * x["b"],
        lambda x: x["a"] / x["b"] ** 2,
        lambda x: x["a"] * np.tan(np.arccos(x["b"] / (x["b"].max() + 1))),
        lambda x: 2.5 * x["a"] + 0.3 * x["b"],
        lambda x: np.sqrt(x["a"]) - np.log(x["b"]),
    ],
)
def test_a_pair_that_gives_the_target_is_found(formula: Callable[..., np.ndarray]) -> None:
    x = positive(n=1500)
    (pair,) = formula_pairs(x, formula(x))
    assert pair[:2] == ("a", "b")
    assert pair[2] > 0.97


def test_two_causes_with_some_noise_are_no_formula() -> None:
    for seed in range(20):
        x = positive(n=600, seed=seed)
        noise = np.random.default_rng(100 + seed).normal(size=600)
        for made in (x["a"] + x["b"], x["a"] * x["b"]):
            assert formula_pairs(x, made + 0.1 * made.std() * noise) == []


def test_targets_of_few_values_and_few_rows_are_left_alone() -> None:
    x = positive()
    assert formula_pairs(x, np.round(x["a"] / 10)) == []
    few = {name: values[:100] for name, values in x.items()}
    assert formula_pairs(few, few["a"] * few["b"]) == []


def test_reactive_power_and_power_factor_give_the_energy_of_steel(
    real_file: Callable[[str], Path],
) -> None:
    frame = read_table(real_file("steel_energy.csv")).frame
    target = frame.pop("Usage_kWh").to_numpy(dtype=np.float64)
    numbers = frame.select_dtypes("number").drop(columns="CO2(tCO2)")
    x = {name: numbers[name].to_numpy(dtype=np.float64) for name in numbers}
    (pair,) = formula_pairs(x, target)
    assert pair[:2] == ("Lagging_Current_Reactive.Power_kVarh", "Lagging_Current_Power_Factor")
