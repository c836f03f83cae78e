"""``imgrec_fit``, as somebody types it."""

from __future__ import annotations

import json
from hashlib import sha256
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from imgrec.embedders import Fitted
from imgrec.spaces import space_by_label
from imgrec.testing import ColourGrid
from tests.synthetic import fill
from tests.testapp.models import Product

pytestmark = pytest.mark.django_db
LABEL = "testapp.product.embedding"


def run(*args: str) -> str:
    out = StringIO()
    call_command("imgrec_fit", *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def many() -> list[Product]:
    """Enough products to fit on, in ten clusters that ``stock`` names."""
    space = space_by_label(LABEL)
    assert space is not None
    products = Product.objects.bulk_create(Product(photo=f"{i}.png") for i in range(300))
    vectors = fill(space, products, clusters=10)
    nearest = np.argmax(vectors @ vectors[:10].T, axis=1)
    for product, cluster in zip(products, nearest, strict=True):
        product.stock = int(cluster) + 1
    Product.objects.bulk_update(products, ["stock"])
    return products


def test_fit_writes_a_file_that_an_encoder_takes(many: list[Product], tmp_path: Path) -> None:
    path = tmp_path / "fitted.npz"
    text = run(LABEL, "--out", str(path), "--dimensions", "8")
    digest = sha256(path.read_bytes()).hexdigest()
    assert digest in text
    assert f'ColourGrid(cells=4, dimensions=49),\n        "{path}",' in text
    assert f"visible=???,  # as in {LABEL}\n    recommend=???," in text
    fitted = Fitted(ColourGrid(), path, sha256=digest, dimensions=8)
    assert fitted.available() is None
    assert fitted.project(np.eye(49, dtype=np.float32)).shape == (49, 8)


def test_fit_tells_whether_it_helps(many: list[Product]) -> None:
    text = run(LABEL, "--dimensions", "16", "--label", "stock", "--json")
    found = json.loads(text[text.index("{") :])
    assert found["vectors"] == 300
    assert 0 < found["kept"] < 1
    assert set(found["compared"]) == {"plain", "fitted", "held_out"}
    out = StringIO()
    call_command("imgrec_eval", LABEL, "--label", "stock", "--copies", "0", "--json", stdout=out)
    (plain,) = json.loads(out.getvalue())["spaces"]
    assert found["compared"]["plain"] == pytest.approx(plain["judged"]["map"])
    assert all(0.5 < value <= 1 for value in found["compared"].values())


def test_fit_on_too_little_says_so() -> None:
    with pytest.raises(CommandError, match="256 dimensions take 512 vectors"):
        run(LABEL)
    with pytest.raises(CommandError, match="Name one space"):
        run("testapp.TwoSpaces")
    with pytest.raises(CommandError, match="0 to 1"):
        run(LABEL, "--whitening", "2")
