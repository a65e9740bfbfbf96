"""What starts fast does not load what it may never need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from prodapp.lazily import attributes_of, pd

HEAVY = {"numba", "pandas", "pyarrow", "scipy", "shap", "sklearn", "xgboost"}


@pytest.mark.parametrize("module", ["prodapp.app", "prodapp.dispatcher", "prodapp.worker"])
def test_what_serves_pages_starts_without_the_libraries_of_tables(module: str) -> None:
    program = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert HEAVY & set(done.stdout.split()) == set()


def test_a_library_named_lazily_is_the_library() -> None:
    frame = pd.DataFrame({"heat": [1.0, 2.0]})
    assert isinstance(frame, pd.DataFrame)
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = pd.no_such_thing


def test_a_package_hands_out_what_is_public() -> None:
    find = attributes_of("json.decoder")
    assert find("JSONDecoder").__name__ == "JSONDecoder"
    for name in ("_missing", "missing"):
        with pytest.raises(AttributeError):
            find(name)
