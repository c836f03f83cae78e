"""Which of the demo's two spaces is filled and shown depends on whose weights are here."""

from __future__ import annotations

import pytest

from demo_shop.serving import serve_what_is_here
from imgrec import space_rows
from imgrec.embedders import EfficientNetLite0, ResNet18
from imgrec.models import Space

pytestmark = pytest.mark.django_db
RESNET, LITE = "shop.product.embedding", "shop.product.embedding_lite"


@pytest.fixture
def weights(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """What each encoder says to be missing; all weights are here unless a test says otherwise."""
    missing: dict[str, str | None] = {"resnet18": None, "efficientnet_lite0": None}
    for kind in (ResNet18, EfficientNetLite0):
        monkeypatch.setattr(kind, "available", lambda self: missing[self.name])
    return missing


def rows() -> dict[str, tuple[bool, bool]]:
    """(served, active) of each space."""
    shown = Space.objects.filter(item_model="shop.product")
    return {space.label: (space.is_served, space.is_active) for space in shown}


def test_resnet_is_served_where_its_weights_are(weights: dict[str, str | None]) -> None:
    told = serve_what_is_here(first_start=True)
    assert rows() == {RESNET: (True, True), LITE: (False, False)}
    assert "resnet18 (shop.product.embedding): its weights are on this machine" in told


def test_the_other_one_steps_in_and_the_reason_is_told(weights: dict[str, str | None]) -> None:
    weights["resnet18"] = "Put the file there."
    told = serve_what_is_here(first_start=True)
    assert rows() == {RESNET: (False, False), LITE: (True, True)}
    assert "efficientnet_lite0" in told
    assert "resnet18 (shop.product.embedding) rests. Put the file there." in told


def test_what_the_admin_switched_stays_as_long_as_it_can(weights: dict[str, str | None]) -> None:
    serve_what_is_here(first_start=True)
    space_rows.serve(LITE)
    Space.objects.filter(label=LITE).update(is_active=True)
    serve_what_is_here(first_start=False)
    assert rows() == {RESNET: (False, True), LITE: (True, True)}
    weights["efficientnet_lite0"] = "Gone."
    serve_what_is_here(first_start=False)
    assert rows() == {RESNET: (True, True), LITE: (False, False)}


def test_without_any_weights_both_rest_and_it_is_told(weights: dict[str, str | None]) -> None:
    weights |= {"resnet18": "No file.", "efficientnet_lite0": "No package."}
    told = serve_what_is_here(first_start=True)
    assert {active for _, active in rows().values()} == {False}
    assert "no encoder has its weights" in told
    assert "No file." in told
    assert "No package." in told
