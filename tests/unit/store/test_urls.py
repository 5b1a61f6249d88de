"""Where the store is, as an operator writes it."""

from pathlib import Path

import pytest

from llmgw.store.errors import StoreError
from llmgw.store.urls import locate, read_url, shown


@pytest.mark.parametrize(
    ("text", "driver", "database"),
    [
        ("sqlite:////var/lib/llmgw.db", "sqlite+aiosqlite", "/var/lib/llmgw.db"),
        ("postgres://u:p@host/books", "postgresql+asyncpg", "books"),
        ("postgresql+psycopg2://u@host:5433/books", "postgresql+asyncpg", "books"),
    ],
)
def test_a_database_is_reached_by_the_driver_that_is_used(text: str, driver: str, database: str) -> None:
    url = read_url(text)
    assert (url.drivername, url.database) == (driver, database)


def test_the_usual_word_for_tls_is_understood() -> None:
    assert dict(read_url("postgresql://host/books?sslmode=require").query) == {"ssl": "require"}


@pytest.mark.parametrize("text", ["", "books", "mysql://host/x", "sqlite://", "sqlite:///:memory:"])
def test_what_cannot_be_a_store_is_refused(text: str) -> None:
    with pytest.raises(StoreError):
        read_url(text)


@pytest.mark.parametrize("text", ["mysql://u:hunter2@host/x", "postgresql//u:hunter2@host"])
def test_a_password_is_never_told(text: str) -> None:
    with pytest.raises(StoreError) as refused:
        read_url(text)
    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in shown(read_url("postgresql://u:hunter2@host/x"))


def test_the_environment_wins_over_the_file_and_that_over_the_folder(tmp_path: Path) -> None:
    environment = {"LLMGW_DATABASE_URL": "postgresql://a/b"}
    assert locate(environment, "sqlite:////x", tmp_path) == "postgresql://a/b"
    assert locate({}, "sqlite:////x", tmp_path) == "sqlite:////x"
    assert locate({}, None, tmp_path) == f"sqlite:///{tmp_path}/llmgw.db"
