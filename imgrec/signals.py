"""Signals by which a shop can measure how its look-alikes are found, and count what fails.

::

    @receiver(searched)
    def measure(sender, *, space, way, eligible, seconds, **kwargs):
        statsd.timing(f"imgrec.{way}", seconds)

``searched``, after each search. ``sender``: the model of the products. ``space``: the label of the
space searched. ``way``: ``"list"``, ``"exact"``, ``"hnsw"`` or ``"none"``. ``short``: a stored list
was read first and had too few left. ``eligible``: how many products there were to choose from,
counted no further than ``exact_below`` + 1; None where nobody counted. ``seconds``: how long it
took.

``left_out``, when a page is served without its list, each time. ``sender``: the kind of the error.
``error``: itself.

What a receiver of these raises is logged, and harms nobody.

``duplicates_decided``, when somebody said what products with the same photo are to each other.
``sender``: the model of the products. ``space``: the label of the space. ``products``: the shop's
own instances, two or more. ``decision``: ``"merge"``, ``"variant"`` or ``"different"``. ``by``: who
said so. Sent in the transaction that keeps the decision: what a receiver raises undoes it, and is
shown to whoever decided.
"""

from __future__ import annotations

from django.dispatch import Signal

searched = Signal()
left_out = Signal()
duplicates_decided = Signal()
