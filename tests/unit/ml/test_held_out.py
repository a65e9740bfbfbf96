from __future__ import annotations

import numpy as np
import pytest

from prodapp.exceptions import DataRefused
from prodapp.ml.held_out import MAX_KEPT, HeldOut, dump_held_out, load_held_out, shared


def samples(rows: list[int], *, groups: bool = False) -> HeldOut:
    places = np.array(rows, dtype=np.intp)
    return HeldOut(
        rows=places,
        actual=places * 1.5,
        predicted=places * 1.4,
        is_ordered=True,
        groups=places % 3 if groups else None,
    )


@pytest.mark.parametrize("groups", [True, False])
def test_samples_come_back_as_they_were_kept(groups: bool) -> None:
    kept = samples([5, 3, 9], groups=groups)
    data = dump_held_out(kept)
    back = load_held_out(data)
    assert data == dump_held_out(back)
    assert back.rows.tolist() == [5, 3, 9]
    assert back.actual.tolist() == kept.actual.tolist()
    assert back.predicted.tolist() == kept.predicted.tolist()
    assert back.is_ordered
    assert (back.groups is None) is not groups


@pytest.mark.parametrize("data", [b"", b"PK nothing", dump_held_out(samples([1]))[:-30]])
def test_a_damaged_file_says_so(data: bytes) -> None:
    with pytest.raises(DataRefused, match="damaged"):
        load_held_out(data)


def test_what_is_shared_is_the_same_rows_in_one_order() -> None:
    mine, theirs = shared(samples([4, 1, 7, 2]), samples([2, 7, 8]))
    assert mine.rows.tolist() == theirs.rows.tolist() == [7, 2]
    nothing, _ = shared(samples([1]), samples([2]))
    assert len(nothing.rows) == 0


def test_large_sets_keep_the_same_rows_of_one_table() -> None:
    rng = np.random.default_rng(0)
    first, second = (np.sort(rng.permutation(200_000)[:60_000]) for _ in range(2))
    both = [samples(rows.tolist()).thinned() for rows in (first, second)]
    assert [len(one.rows) for one in both] == [MAX_KEPT, MAX_KEPT]
    assert (np.diff(both[0].rows) > 0).all()
    # Drawn apart, each keeps a third, so that a ninth of what they share would be left.
    n_shared = len(np.intersect1d(first, second))
    assert len(shared(*both)[0].rows) > 0.3 * n_shared
    assert abs(both[0].rows.mean() - 100_000) < 2_500
