from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from prodapp import memory
from prodapp.config import load_settings
from prodapp.exceptions import ConfigurationError

STRONG = "kJ8s-2mVq_71xPzL0aWcYh4RtGdNbE6f"


def load(tmp_path: Path, **environ: str):
    return load_settings({"PRODAPP_INSTANCE": str(tmp_path), **environ})


def test_an_empty_environment_gives_a_working_installation_of_loopback(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.profile == "development"
    assert (settings.host, settings.port) == ("127.0.0.1", 8001)
    assert settings.public_url == "http://127.0.0.1:8001"
    assert settings.database_url == f"sqlite:///{tmp_path / 'prodapp.db'}"
    assert settings.storage_url == f"file://{tmp_path / 'files'}"
    assert settings.is_embedded_queue
    assert not settings.is_https
    assert settings.integration_anonymous_role is None
    assert settings.cors_origins == ()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells how much there is")
def test_a_run_may_take_a_share_of_the_machine_unless_said_otherwise(tmp_path: Path) -> None:
    share = load(tmp_path).run_memory_bytes
    assert share is not None
    assert 0 < share < (memory.total_bytes() or 0)
    assert load(tmp_path, RUN_MEMORY_MB="0").run_memory_bytes is None


def test_empty_values_mean_the_default(tmp_path: Path) -> None:
    names = ("PORT", "HOST", "REDIS_URL", "DATABASE_URL", "SECRET_KEY", "CORS_ORIGINS", "LOG_LEVEL")
    assert load(tmp_path, **dict.fromkeys(names, "")) == load(tmp_path)


def test_values_keep_the_type_of_their_setting(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        SECRET_KEY="12345",
        PORT="9000",
        MAX_UPLOAD_MB="2",
        RUN_MEMORY_MB="1",
        HOST="10.0.0.7",
    )
    assert settings.secret_key == "12345"
    assert settings.port == 9000
    assert settings.max_upload_bytes == 2 * 1024**2
    assert settings.run_memory_bytes == 1024**2
    assert settings.public_url == "http://10.0.0.7:9000"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg2://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+psycopg2://u:p@h/d"),
        ("postgresql+psycopg2://u@h/d", "postgresql+psycopg2://u@h/d"),
        ("sqlite:////data/x.db", "sqlite:////data/x.db"),
    ],
)
def test_database_address_names_the_driver_that_is_shipped(
    tmp_path: Path, given: str, used: str
) -> None:
    assert load(tmp_path, DATABASE_URL=given).database_url == used


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "80a"),
        ("PORT", "-1"),
        ("PORT", "8_001"),
        ("PORT", "²"),
        ("PORT", "9" * 5000),
        ("TRUSTED_PROXIES", "9"),
        ("MAX_UPLOAD_MB", "0"),
        ("RUN_TIMEOUT", "9"),
        ("WEB_THREADS", "none"),
        ("PROMOTION", "luck"),
        ("LOG_LEVEL", "LOUD"),
        ("PRODAPP_PROFILE", "prod"),
        ("INTEGRATION_ANONYMOUS_ROLE", "root"),
        ("DATABASE_URL", "mysql://h/d"),
        ("REDIS_URL", "http://h"),
        ("REDIS_URL", "localhost:6379"),
        ("PUBLIC_URL", "ftp://h"),
        ("PUBLIC_URL", "prodapp.example"),
        ("PUBLIC_URL", "https://[broken"),
        ("PUBLIC_URL", "https://"),
        ("CORS_ORIGINS", "dashboard.example"),
        ("CORS_ORIGINS", "https://a.example https://b.example/path"),
        ("CORS_ORIGINS", "https://[broken"),
        ("CORS_ORIGINS", "https://"),
        ("CORS_ORIGINS", "null"),
    ],
)
def test_a_bad_value_stops_the_start_and_names_its_variable(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load(tmp_path, **{name: value})


def test_a_refused_address_does_not_repeat_its_password(tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL"):
        with pytest.raises(ConfigurationError) as caught:
            load(tmp_path, **{name: "nonsense://user:hunter2@host/x"})
        assert "hunter2" not in str(caught.value)


def test_cors_origins_may_be_parted_by_commas_and_spaces(tmp_path: Path) -> None:
    origins = load(tmp_path, CORS_ORIGINS="https://a.example/, http://b:3000  *").cors_origins
    assert origins == ("https://a.example", "http://b:3000", "*")


def test_words_of_a_choice_may_be_written_in_any_case(tmp_path: Path) -> None:
    settings = load(
        tmp_path, LOG_LEVEL="debug", PRODAPP_PROFILE="Testing", INTEGRATION_ANONYMOUS_ROLE="Viewer"
    )
    assert settings.log_level == "DEBUG"
    assert settings.profile == "testing"
    assert settings.integration_anonymous_role == "viewer"


@pytest.mark.parametrize("profile", ["staging", "production"])
@pytest.mark.parametrize("key", ["", "short", "changeme" * 8, "a" * 64, "1234567890" * 4])
def test_deployments_refuse_a_weak_secret_key(tmp_path: Path, profile: str, key: str) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY") as caught:
        load(tmp_path, PRODAPP_PROFILE=profile, SECRET_KEY=key)
    assert not key or key not in str(caught.value)
    assert not (tmp_path / "secret_key").exists()


@pytest.mark.parametrize("profile", ["staging", "production", "development", "testing"])
def test_a_strong_secret_key_is_taken_as_it_is(tmp_path: Path, profile: str) -> None:
    settings = load(tmp_path, PRODAPP_PROFILE=profile, SECRET_KEY=STRONG)
    assert settings.secret_key == STRONG


def test_the_made_secret_key_stays_the_same_and_private(tmp_path: Path) -> None:
    first = load(tmp_path / "new").secret_key
    assert len(first) >= 32
    assert load(tmp_path / "new").secret_key == first
    file = tmp_path / "new" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path / "new") == ["secret_key"]
    assert load(tmp_path / "other").secret_key != first


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    for name, text in (("key", f"{STRONG}\n"), ("token", " figures \n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    paths = {"SECRET_KEY_FILE": "key", "METRICS_TOKEN_FILE": "token"}
    files = {name: str(tmp_path / path) for name, path in paths.items()}
    settings = load(tmp_path, **files)
    assert (settings.secret_key, settings.metrics_token) == (STRONG, "figures")
    assert settings.sources["SECRET_KEY"] == "SECRET_KEY_FILE"
    for wrong in (
        files | {"SECRET_KEY": STRONG},
        {"SECRET_KEY_FILE": str(tmp_path / "none")},
        {"SECRET_KEY_FILE": str(tmp_path)},
    ):
        with pytest.raises(ConfigurationError, match="SECRET_KEY_FILE") as caught:
            load(tmp_path, **wrong)
        assert STRONG not in str(caught.value)


def test_dotenv_is_read_in_development_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nLOG_LEVEL=ERROR\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("PRODAPP_INSTANCE", str(tmp_path))
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("PRODAPP_PROFILE", raising=False)
    assert load_settings().port == 9001
    assert load_settings().log_level == "DEBUG"
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    monkeypatch.setenv("PRODAPP_PROFILE", "production")
    monkeypatch.setenv("SECRET_KEY", STRONG)
    assert load_settings().port == 8001


def test_https_is_what_the_public_address_says(tmp_path: Path) -> None:
    settings = load(tmp_path, PUBLIC_URL="https://prodapp.example/")
    assert settings.is_https
    assert settings.public_url == "https://prodapp.example"
