"""What our log records are about, as attributes: any structured formatter shows them.

The words of a message are for people and may change; these names stay.
"""

from __future__ import annotations

from typing import Any

from imgrec.claims import Claim
from imgrec.spaces import SpaceDefinition


def about(
    space: SpaceDefinition, claim: Claim | None = None, *, item: str = "", reason: str = ""
) -> dict[str, Any]:
    """Return ``extra=`` of a record: the space, and of a photo its job, keys and attempt."""
    found: dict[str, Any] = {"imgrec_space": space.label}
    if claim:
        found |= {
            "imgrec_job": claim.id,
            "imgrec_photo": claim.object_pk,
            "imgrec_product": item,
            "imgrec_attempt": claim.attempts,
        }
    return found | ({"imgrec_reason": str(reason)} if reason else {})
