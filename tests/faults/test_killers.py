"""A picture that kills its worker, and one on which a worker hangs: the others are done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from imgrec import states
from imgrec.models import EmbeddingJob
from imgrec.reasons import Reason
from imgrec.spaces import SpaceDefinition
from tests.faults.controls import Controls
from tests.faults.crew import Crew
from tests.faults.sabotage import KILLER
from tests.pictures import png, upload
from tests.testapp.models import Product
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(240),
]
OTHERS = 100


def make() -> Product:
    """Save a hundred products with, in the middle of them, the one; return that."""
    for number in range(OTHERS // 2):
        Product.objects.create(photo=upload(number / OTHERS))
    killer = ContentFile(png(Image.new("RGB", (16, 16), KILLER)), name="killer.png")
    product = Product.objects.create(photo=killer)
    for number in range(OTHERS // 2, OTHERS):
        Product.objects.create(photo=upload(number / OTHERS))
    return product


def is_settled(space: SpaceDefinition) -> bool:
    counted = states.count_states(space)
    return counted["ready"] + counted["failed"] == OTHERS + 1


@pytest.mark.parametrize("where", ["decoder", pytest.param("encoder", marks=pytest.mark.full)])
def test_a_picture_that_kills_starts_three_times(
    space: SpaceDefinition, controls: Controls, start_crew: Callable[..., Crew], where: str
) -> None:
    controls.say(where, "kills")
    product = make()
    crew = start_crew(lease_seconds=1)
    assert wait_until(lambda: is_settled(space), 90), crew.said()
    assert len(controls.notes("starts")) == 3
    failed = EmbeddingJob.objects.get(state="failed")
    assert (failed.object_pk, failed.reason) == (str(product.pk), Reason.WORKER_DIED)
    assert states.count_states(space)["ready"] == OTHERS
    assert len(crew.workers) == 1
    assert crew.worker.is_running()


@pytest.mark.parametrize("where", ["encoder", pytest.param("decoder", marks=pytest.mark.full)])
def test_a_picture_on_which_c_code_hangs_is_given_up(
    space: SpaceDefinition, controls: Controls, start_crew: Callable[..., Crew], where: str
) -> None:
    """No Python runs in that process any more: neither a time limit's handler nor a thread."""
    controls.say(where, "hangs")
    product = make()
    crew = start_crew(lease_seconds=1)
    assert wait_until(lambda: is_settled(space), 120), crew.said()
    assert len(controls.notes("starts")) == 3
    failed = EmbeddingJob.objects.get(state="failed")
    assert (failed.object_pk, failed.reason) == (str(product.pk), Reason.WORKER_DIED)
    assert states.count_states(space)["ready"] == OTHERS
    assert len(crew.workers) == 1
    assert crew.worker.is_running()
    assert "Timeout" in crew.worker.log()
    assert "sabotage.py" in crew.worker.log(), "says where"
