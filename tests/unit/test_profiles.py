"""Each thing that a profile refuses, alone, beside settings that are all right."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodapp.config import Settings, load_settings
from prodapp.exceptions import ConfigurationError

SOUND = {
    "SECRET_KEY": "kJ8s-2mVq_71xPzL0aWcYh4RtGdNbE6f",
    "PUBLIC_URL": "https://prodapp.factory.example",
    "TRUSTED_PROXIES": "1",
    "DATABASE_URL": "postgresql://prodapp:v8R-k2Lq9@db/prodapp",
    "REDIS_URL": "redis://:q7Zt-x1Wm4@queue:6379/0",
    "METRICS_TOKEN": "Yt6-Lw0_pQ8sVn3-Kd5xRb2mJc",
    "METRICS_PORT": "9101",
    "HOST": "0.0.0.0",  # noqa: S104 - as in a container
}


def load(tmp_path: Path, profile: str, **environ: str) -> Settings:
    return load_settings(
        {"PRODAPP_PROFILE": profile, "PRODAPP_INSTANCE": str(tmp_path), **SOUND, **environ}
    )


@pytest.mark.parametrize("profile", ["staging", "production"])
def test_sound_settings_are_taken(tmp_path: Path, profile: str) -> None:
    assert load(tmp_path, profile).profile == profile


@pytest.mark.parametrize("profile", ["staging", "production"])
def test_one_machine_without_a_network_needs_no_more_than_a_key(
    tmp_path: Path, profile: str
) -> None:
    environ = {"PRODAPP_PROFILE": profile, "PRODAPP_INSTANCE": str(tmp_path)}
    assert load_settings({**environ, "SECRET_KEY": SOUND["SECRET_KEY"]}).host == "127.0.0.1"


@pytest.mark.parametrize("profile", ["staging", "production"])
@pytest.mark.parametrize(
    ("changed", "named", "mended_by"),
    [
        ({"PUBLIC_URL": "http://prodapp.factory.example"}, "PUBLIC_URL", "https://"),
        ({"TRUSTED_PROXIES": "0"}, "TRUSTED_PROXIES", "number of proxies"),
        ({"INTEGRATION_ANONYMOUS_ROLE": "operator"}, "INTEGRATION_ANONYMOUS_ROLE", "viewer"),
        ({"INTEGRATION_ANONYMOUS_ROLE": "admin"}, "INTEGRATION_ANONYMOUS_ROLE", "key create"),
        ({"CORS_ORIGINS": "https://a.example *"}, "CORS_ORIGINS", "Name the origins"),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN", "24"),
        ({"METRICS_TOKEN": ""}, "METRICS_PORT", "METRICS_TOKEN"),
        ({"DATABASE_URL": "postgresql://prodapp@db/x"}, "DATABASE_URL", "random"),
        ({"DATABASE_URL": "postgresql://prodapp:Postgres@db/x"}, "DATABASE_URL", "random"),
        ({"DATABASE_URL": "postgresql://prodapp:change%2Dme@db/x"}, "DATABASE_URL", "random"),
        ({"REDIS_URL": "redis://queue:6379/0"}, "REDIS_URL", "requirepass"),
        ({"REDIS_URL": "redis://:secret@queue:6379/0"}, "REDIS_URL", "requirepass"),
        ({"SENTRY_DSN": "http://key@sentry.example/1"}, "SENTRY_DSN", "https://"),
        ({"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL", "INFO"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG", "Remove"),
    ],
)
def test_what_is_unsafe_where_people_work_stops_the_start_and_says_how_to_mend_it(
    tmp_path: Path, profile: str, changed: dict[str, str], named: str, mended_by: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, profile, **changed)
    first, line = str(caught.value).splitlines()
    assert profile in first
    assert line.startswith(f"- {named}")
    assert mended_by in line
    for value in changed.values():
        assert "@" not in value or value not in line
    assert load(tmp_path, "development", **changed).profile == "development"


def test_everything_that_must_be_mended_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, "production", CORS_ORIGINS="*", LOG_LEVEL="DEBUG", TRUSTED_PROXIES="0")
    assert str(caught.value).count("\n- ") == 3


def test_the_testing_profile_stays_on_its_machine(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="HOST: the testing profile"):
        load(tmp_path, "testing")
    assert load(tmp_path, "testing", HOST="127.0.0.1").profile == "testing"
    assert load(tmp_path, "testing", HOST="::1").profile == "testing"


@pytest.mark.parametrize("given", ["0", "false", ""])
def test_debugging_that_is_off_is_off(tmp_path: Path, given: str) -> None:
    assert load(tmp_path, "production", FLASK_DEBUG=given).profile == "production"


def test_servers_beside_this_process_need_no_password(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        "production",
        DATABASE_URL="postgresql:///prodapp?host=/run/postgresql",
        REDIS_URL="redis://127.0.0.1:6379/0",
    )
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
