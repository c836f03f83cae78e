"""Maps of features: the identity, the cells under a box, and a heat map in words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from imgrec.boxes import Box, weights
from imgrec.embedders import Fitted, Mapped, ResNet18, networks
from imgrec.embedders.framing import Frame
from imgrec.errors import NoFeatureMap, NothingSeen
from imgrec.feature_maps import FeatureMap, centred, contributions, cosine
from imgrec.mapping import explaining, map_of, query_of
from imgrec.regions import strongest
from imgrec.testing import ColourGrid
from tests.pictures import picture, png

WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def random_map(seed: int, shape: tuple[int, int, int] = (7, 7, 32)) -> FeatureMap:
    features = np.random.default_rng(seed).gamma(0.5, size=shape)
    return FeatureMap(features.astype(np.float16), WHOLE)


def test_by_hand() -> None:
    """Cells (3, 0), (0, 4), (1, 0), (0, 0): the mean (1, 1). Beside (0, 5) the cosine is 0.71."""
    features = np.array([[[3, 0], [0, 4]], [[1, 0], [0, 0]]], dtype=np.float16)
    one = FeatureMap(features, WHOLE)
    other = FeatureMap(np.array([[[0, 5]]], dtype=np.float16), WHOLE)
    assert cosine(one, other) == pytest.approx(0.5**0.5)
    assert contributions(one, other) == pytest.approx(np.array([[0, 0.5**0.5], [0, 0]]))
    assert contributions(other, one) == pytest.approx(np.array([[0.5**0.5]]))


def test_cells_of_either_side_sum_to_the_cosine() -> None:
    maps = [random_map(seed) for seed in range(20)]
    for one, other in pairwise(maps):
        for cells in (contributions(one, other), contributions(other, one)):
            assert abs(cells.sum() - cosine(one, other)) < 1e-12
            assert abs(centred(cells).sum()) < 1e-12


def test_bytes_and_back() -> None:
    made = FeatureMap(random_map(3).features, Box(0.1, 0.0, 0.9, 1.0))
    read = FeatureMap.from_bytes(made.to_bytes())
    assert np.array_equal(read.features, made.features)
    assert read.seen == made.seen
    assert len(made.to_bytes()) < 2 * made.features.size + 100


@pytest.mark.parametrize("data", [b"", b"{}\n", b'{"shape": [7, 7, 3], "seen": [0]}\n12', b"x\n"])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        FeatureMap.from_bytes(data)


def test_cells_under_a_box_count_by_how_much_of_them_it_covers() -> None:
    found = weights(Box(0.25, 0.0, 1.0, 0.5), WHOLE, 2, 2)
    assert found == pytest.approx(np.array([[0.5, 1.0], [0.0, 0.0]]))
    middle = weights(Box(0.4, 0.4, 0.6, 0.6), Box(0.25, 0.25, 0.75, 0.75), 1, 1)
    assert middle == pytest.approx(np.array([[0.16]]))


def test_where_the_encoder_does_not_look_there_is_no_part() -> None:
    seen = Box(*Frame().seen(300, 900))
    assert seen.as_tuple() == pytest.approx((1 / 16, 0.5 - 7 / 48, 15 / 16, 0.5 + 7 / 48), abs=0.01)
    with pytest.raises(NothingSeen, match="nearer its middle"):
        weights(Box(0.0, 0.0, 1.0, 0.2), seen, 7, 7)


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "0,0,0,1", "nan,0,1,1", "2,0,1,1"])
def test_no_box(text: str) -> None:
    with pytest.raises(ValueError, match=r"0\.1,0\.2,0\.5,0\.5"):
        Box.parse(text)


def test_a_box_over_the_edge_is_cut_off() -> None:
    assert Box.parse("-0.5,0.5,1,1") == Box(0.0, 0.5, 0.5, 1.0)


def test_the_place_that_stands_out() -> None:
    cells = np.full((7, 7), 0.01)
    assert strongest(cells, WHOLE) == []
    cells[:2, :2] = 0.05
    (first,) = strongest(cells, WHOLE)
    assert first.place == "upper_left"
    # 4 cells of 0.05, and of 0.01 what else is in a third of the photo: 49/9 cells in all
    assert first.share == pytest.approx((0.2 + 0.01 * (49 / 9 - 4)) / cells.sum())
    assert first.area == pytest.approx(1 / 9)
    cells[5:, 5:] = 0.045
    assert [each.place for each in strongest(cells, WHOLE)] == ["upper_left", "lower_right"]


def test_places_are_of_the_whole_photo() -> None:
    """What an encoder sees of a high photo is its middle: nothing there is at the top."""
    cells = np.full((7, 7), 0.01)
    cells[0, 0] = 0.1
    (first,) = strongest(cells, Box(0.05, 0.36, 0.95, 0.64))
    assert first.place == "left"


def test_the_map_of_colours_is_what_their_vector_is_the_mean_of() -> None:
    photo = picture(0.3)
    found = map_of(ColourGrid(dimensions=60), png(photo))
    assert found.features.shape == (4, 4, 60)
    (row,) = ColourGrid(dimensions=60).embed([photo])
    assert query_of(ColourGrid(dimensions=60), found.mean) == pytest.approx(row, abs=1e-3)


def test_who_explains() -> None:
    grid = ColourGrid()
    assert explaining(grid) is grid
    assert explaining(Fitted(grid, "nowhere.npz", sha256="0" * 64)) is grid
    assert isinstance(ResNet18(), Mapped)

    class Bare:
        name = version = "bare"
        dimensions = 3

    with pytest.raises(NoFeatureMap):
        explaining(Bare())  # type: ignore[arg-type]


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
def test_resnets_map_is_of_the_very_pass_that_embeds(
    half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    monkeypatch.setattr(networks, "_networks", {})
    monkeypatch.setattr(networks, "_half", lambda _place: torch.bfloat16 if half else None)
    monkeypatch.setattr("imgrec.embedders.probing.MOST_TIME", float("inf"))
    with torch.random.fork_rng():
        torch.manual_seed(20)
        model = models.resnet18(weights=None).eval()
    to_map = torch.nn.Sequential(*list(model.children())[:-2])
    monkeypatch.setattr(ResNet18, "_load", lambda self: networks.Network(to_map))
    encoder = ResNet18()
    prepared = [encoder.prepare(Image.effect_noise((300, 260), 80).convert("RGB"))]
    found = encoder.feature_map(prepared)
    assert found.shape == (1, 7, 7, 512)
    mean = found.mean(axis=(1, 2))
    row = encoder.embed_prepared(prepared)
    assert np.allclose(mean / np.linalg.norm(mean), row, atol=1e-5)
