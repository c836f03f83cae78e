"""What the shop reads from its environment."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from demo_shop import environment


def test_a_database_address_with_everything() -> None:
    found = environment.database("postgresql://me:p%40ss@db.example:5433/shop?sslmode=require")
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == ("me", "p@ss", "shop")
    assert (found["HOST"], found["PORT"]) == ("db.example", "5433")
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_a_database_behind_a_socket() -> None:
    found = environment.database("postgresql://postgres@/shop?host=/run/postgresql")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("/run/postgresql", "", "shop")
    assert found["OPTIONS"] == {}


def test_another_database_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="needs PostgreSQL: postgresql://"):
        environment.database("mysql://root@localhost/shop")


def test_the_secret_key_is_random_kept_and_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    first, other = environment.secret_key(tmp_path / "a"), environment.secret_key(tmp_path / "b")
    assert len(first) >= 50
    assert first != other
    assert environment.secret_key(tmp_path / "a") == first
    assert stat.S_IMODE((tmp_path / "a" / "secret-key").stat().st_mode) == 0o600
    monkeypatch.setenv("SECRET_KEY", "from the environment")
    assert environment.secret_key(tmp_path / "a") == "from the environment"


@pytest.mark.parametrize(("word", "meant"), [("1", True), ("Yes", True), ("0", False), ("", True)])
def test_flags(monkeypatch: pytest.MonkeyPatch, word: str, meant: bool) -> None:
    monkeypatch.setenv("SHOP_FLAG", word)
    assert environment.flag("SHOP_FLAG", default=True) is meant


def test_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_HOSTS", " a.example, ,b.example ")
    assert environment.words("SHOP_HOSTS") == ["a.example", "b.example"]
