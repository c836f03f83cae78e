"""The Celery app of workers that are to be sabotaged: ``celery -A tests.faults.celery worker``.

IMGREC_FAULTS_CONTROLS   the folder by which the test speaks to its workers
IMGREC_FAULTS_MUTANT     a name in ``mutants.py``, or nothing
"""

from __future__ import annotations

import os
from typing import Any

from celery.signals import worker_process_init

from tests.celery import app as app


@worker_process_init.connect
def _sabotage(**_kwargs: Any) -> None:
    from tests.faults.controls import Controls
    from tests.faults.mutants import MUTANTS
    from tests.faults.sabotage import install

    install(Controls(os.environ["IMGREC_FAULTS_CONTROLS"]))
    if mutant := os.environ.get("IMGREC_FAULTS_MUTANT"):
        MUTANTS[mutant]()
