"""The seed of a campaign: another each time, told when it fails, IMGREC_FAULTS_SEED replays it."""

from __future__ import annotations

import os
import secrets

SEED = int(os.environ.get("IMGREC_FAULTS_SEED") or secrets.randbelow(2**32))
