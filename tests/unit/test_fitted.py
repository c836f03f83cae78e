"""Projections fitted on vectors, and the encoder that looks through one."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL.Image import Image, fromarray

from imgrec import fitting
from imgrec.embedders import Embedder, Fitted
from imgrec.embedders.fitted import Projection, StagedFitted
from imgrec.embedders.protocol import Staged
from imgrec.errors import WeightsUnavailable
from imgrec.testing import ColourGrid
from tests.pictures import picture

Rows = NDArray[np.float32]


def rows(count: int = 400, size: int = 12, *, seed: int = 0) -> Rows:
    """Vectors that vary in each direction by another amount, round a mean that is not zero."""
    random = np.random.default_rng(seed)
    turned, _ = np.linalg.qr(random.normal(size=(size, size)))
    spread = np.geomspace(1.0, 0.05, size)
    made = 0.7 + (random.normal(size=(count, size)) * spread) @ turned
    return made.astype(np.float32)


@pytest.fixture
def file(tmp_path: Path) -> tuple[Path, str]:
    """A projection from ColourGrid's 49 dimensions to 8, and its sha256."""
    pictures = [picture(hue / 60, shade=(hue % 7) / 20) for hue in range(60)]
    made = fitting.fit([ColourGrid().embed(pictures)], 8)
    path = tmp_path / "fitted.npz"
    path.write_bytes(made.projection.to_bytes())
    return path, sha256(path.read_bytes()).hexdigest()


def test_full_whitening_makes_all_directions_vary_the_same() -> None:
    given = rows()
    made = fitting.fit([given], 5, whitening=1.0).projection
    scores = (given - made.mean) @ made.matrix
    assert np.cov(scores.T, bias=True) == pytest.approx(np.eye(5), abs=1e-3)


def test_without_whitening_distances_stay() -> None:
    given = rows()
    made = fitting.fit([given], 12, whitening=0.0).projection
    scores = (given - made.mean) @ made.matrix
    before = np.linalg.norm(given[:50, None] - given[None, 50:100], axis=2)
    after = np.linalg.norm(scores[:50, None] - scores[None, 50:100], axis=2)
    assert after == pytest.approx(before, rel=1e-3)


def test_mild_whitening_lies_between() -> None:
    given = rows()
    made = fitting.fit([given], 5, whitening=0.5).projection
    plain = fitting.fit([given], 5, whitening=0.0).projection
    deviations = ((given - made.mean) @ made.matrix).std(axis=0)
    assert deviations == pytest.approx(
        np.sqrt(((given - plain.mean) @ plain.matrix).std(axis=0)), rel=1e-3
    )


def test_chunks_make_no_difference() -> None:
    given = rows()
    whole = fitting.fit([given], 6)
    parts = fitting.fit([given[:1], given[1:150], given[150:]], 6)
    assert parts.vectors == whole.vectors == 400
    assert parts.projection.matrix == pytest.approx(whole.projection.matrix, abs=1e-4)
    assert 0.9 < parts.kept < 1


def test_directions_that_do_not_vary_are_not_blown_up() -> None:
    flat = rows()
    flat[:, 6:] = 0.5
    made = fitting.fit([flat], 12, whitening=1.0).projection
    assert np.isfinite(made(flat)).all()


def test_too_few_vectors_are_refused() -> None:
    with pytest.raises(fitting.TooFewVectors, match=r"6 dimensions take 12 vectors.*are 11 of 12"):
        fitting.fit([rows(11)], 6)
    with pytest.raises(fitting.TooFewVectors):
        fitting.fit([rows(400)], 13)
    with pytest.raises(fitting.TooFewVectors):
        fitting.fit([], 2)


def test_the_same_vectors_give_the_same_file() -> None:
    first, second = (fitting.fit([rows()], 4).projection.to_bytes() for _ in range(2))
    assert first == second
    back = Projection.from_bytes(first)
    assert back(rows()) == pytest.approx(Projection.from_bytes(second)(rows()))


def test_what_is_embedded_is_what_the_projection_makes_of_it(file: tuple[Path, str]) -> None:
    path, digest = file
    fitted = Fitted(ColourGrid(), path, sha256=digest, dimensions=8)
    pictures = [picture(0.1), picture(0.6)]
    found = fitted.embed(pictures)
    assert found.shape == (2, 8)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1])
    made = Projection.from_bytes(path.read_bytes())
    assert found == pytest.approx(made(ColourGrid().embed(pictures)))
    assert fitted.embed([]).shape == (0, 8)


def test_a_name_and_a_version_of_its_own(file: tuple[Path, str]) -> None:
    path, digest = file
    fitted = Fitted("imgrec.testing.ColourGrid", path, sha256=digest.upper(), dimensions=8)
    assert isinstance(fitted, Embedder)
    assert fitted.name == "colour_grid+fitted"
    assert fitted.version == f"{ColourGrid().version}+fitted-{digest[:12]}"
    assert fitted.available() is None
    assert fitted == Fitted("imgrec.testing.ColourGrid", path, sha256=digest.upper(), dimensions=8)


class StagedGrid(ColourGrid):
    """Prepares pictures apart from embedding them."""

    decoded_side = 64

    def prepare(self, picture: Image, /) -> Any:
        return np.asarray(picture.resize((8, 8)))

    def embed_prepared(self, inputs: Sequence[Any], /) -> Any:
        return self.embed([fromarray(each) for each in inputs])


def test_an_encoder_that_prepares_pictures_apart_stays_one(file: tuple[Path, str]) -> None:
    path, digest = file
    staged = Fitted(StagedGrid(), path, sha256=digest, dimensions=8)
    assert isinstance(staged, StagedFitted)
    assert staged.decoded_side == 64
    pictures = [picture(0.1), picture(0.6)]
    found = staged.embed_prepared([staged.prepare(each) for each in pictures])
    assert found == pytest.approx(staged.embed([each.resize((8, 8)) for each in pictures]))
    assert copy(staged) == staged
    assert isinstance(staged, Staged)
    assert not isinstance(Fitted(ColourGrid(), path, sha256=digest, dimensions=8), Staged)


def test_another_file_is_refused(file: tuple[Path, str]) -> None:
    path, _digest = file
    fitted = Fitted(ColourGrid(), path, sha256="0" * 64, dimensions=8)
    assert "is not the file it should be" in str(fitted.available())
    with pytest.raises(WeightsUnavailable, match="is not the file it should be"):
        fitted.embed([picture(0.1)])


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    fitted = Fitted(ColourGrid(), tmp_path / "none.npz", sha256="0" * 64)
    assert "missing" in str(fitted.available())


def test_a_projection_of_another_encoder_is_refused(file: tuple[Path, str]) -> None:
    path, digest = file
    fitted = Fitted(ColourGrid(cells=2), path, sha256=digest, dimensions=8)
    with pytest.raises(WeightsUnavailable, match="from 49 to 8 dimensions, not 13 to 8"):
        fitted.embed([picture(0.1)])


def test_a_file_that_is_no_projection_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nonsense.npz"
    path.write_bytes(b"nonsense")
    fitted = Fitted(ColourGrid(), path, sha256=sha256(b"nonsense").hexdigest())
    with pytest.raises(WeightsUnavailable, match="no projection that imgrec_fit made"):
        fitted.embed([picture(0.1)])
