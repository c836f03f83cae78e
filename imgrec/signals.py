"""A signal for each search, so that a shop can measure how its look-alikes are found.

::

    @receiver(searched)
    def measure(sender, *, space, way, eligible, seconds, **kwargs):
        statsd.timing(f"imgrec.{way}", seconds)

``sender``: the model of the products. ``space``: the label of the space searched. ``way``:
``"list"``, ``"exact"``, ``"hnsw"`` or ``"none"``. ``eligible``: how many products there were to
choose from, counted no further than ``exact_below`` + 1; None where nobody counted.
``seconds``: how long it took. What a receiver raises is logged, and harms nobody.
"""

from __future__ import annotations

from django.dispatch import Signal

searched = Signal()
