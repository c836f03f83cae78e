"""A card's photo has the address that Django gives it, however it is found."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models import ImageField
from django.db.models.fields.files import ImageFieldFile
from hypothesis import given
from hypothesis import strategies as st

from imgrec.cards import address_of


class Elsewhere(FileSystemStorage):
    """A shop's own storage."""

    def url(self, name: str | None) -> str:
        return f"https://cdn.example/{name}?signed"


class Thumbnailed(ImageFieldFile):
    """Another app's file."""

    @property
    def url(self) -> str:
        return "/small.png"


def photo(name: str, storage: Any = default_storage, kind: Any = ImageFieldFile) -> Any:
    """Return a file of that name."""
    return kind(None, ImageField(storage=storage), name)


@given(st.text(st.sampled_from("ab9_-./:?%# é~\\"), min_size=1, max_size=12))
def test_it_is_djangos(name: str) -> None:
    for storage in (default_storage, FileSystemStorage(base_url="https://a.example/m")):
        assert address_of(photo(name, storage)) == photo(name, storage).url


def test_storages_and_files_of_others_are_asked() -> None:
    assert address_of(photo("a.png", Elsewhere())) == "https://cdn.example/a.png?signed"
    assert address_of(photo("a.png", kind=Thumbnailed)) == "/small.png"


def test_without_addresses_it_fails_as_django_does(settings: Any) -> None:
    settings.MEDIA_URL = None
    nowhere = FileSystemStorage()
    nowhere.base_url = None
    with pytest.raises(ValueError, match="not accessible"):
        address_of(photo("a.png", nowhere))
