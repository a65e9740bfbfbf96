from __future__ import annotations

from prodapp.work import as_domain_error


def code_of(error: BaseException) -> str:
    return as_domain_error(error, request_id=None).error_code


def test_memory_is_what_was_wanting_however_it_shows() -> None:
    assert code_of(MemoryError()) == "out_of_memory"
    assert code_of(RuntimeError("can't start new thread")) == "out_of_memory"
    assert code_of(RuntimeError("something else")) == "internal_error"


def test_an_error_on_the_way_out_does_not_hide_it() -> None:
    """A pool of threads that could not start trips over its own clearing up."""
    error = AttributeError("'DummyProcess' object has no attribute 'terminate'")
    error.__context__ = RuntimeError("can't start new thread")
    assert code_of(error) == "out_of_memory"
