"""Every ``code`` an error of ours may bear, with its status and what it means.

A shop's own permissions, throttles and filters may bring words of their own.

``docs/api.md`` has the same table. Within one version codes may be added, never change or go.
"""

from __future__ import annotations

from imgrec.reasons import Reason

API_VERSION = "1"
VERSION_HEADER = "Imgrec-Api-Version"  # on every answer, errors too

CODES: dict[str, tuple[int, str]] = {
    "invalid": (400, "a value of the wrong kind"),
    "min_value": (400, "a number that is too small"),
    "max_value": (400, "a number that is too large"),
    "max_length": (400, "a text that is too long"),
    "max_string_length": (400, "a number of too many digits"),
    "blank": (400, "a value is empty"),
    "null_characters_not_allowed": (400, "a value has a NUL character"),
    "surrogate_characters_not_allowed": (400, "a value has half a character"),
    "invalid_choice": (400, "the list cannot be grouped by this"),
    "no_price": (400, "the shop has not said where its prices are"),
    "not_with_part": (400, "`part` of a product goes with `limit` and `min_similarity` alone"),
    "no_such_page": (400, "`after` is not the `next` of this list"),
    "required": (400, "the photo is missing"),
    "bad_request": (400, "the request cannot be read"),
    "parse_error": (400, "the form cannot be read"),
    "not_authenticated": (401, "log in first"),
    "authentication_failed": (401, "the credentials are wrong"),
    "permission_denied": (403, "not for you"),
    "not_found": (404, "unknown, or hidden"),
    "off": (404, "search by photo is switched off"),
    "method_not_allowed": (405, "another method is needed"),
    "not_acceptable": (406, "no answer in the form asked for"),
    str(Reason.FILE_TOO_LARGE): (413, "the photo, or the request, is too large"),
    "unsupported_media_type": (415, "the photo comes in a multipart form"),
    **{
        str(each): (422, "the photo cannot be used")
        for each in Reason
        if each != Reason.FILE_TOO_LARGE
    },
    "no_feature_map": (422, "the encoder cannot tell parts apart"),
    "nothing_seen": (422, "the encoder does not look at this part"),
    "throttled": (429, "too many requests; see `Retry-After`"),
    "busy": (503, "too many searches by photo; see `Retry-After`"),
    "no_answer": (503, "no worker answered; see `Retry-After`"),
    "error": (500, "anything else"),
}
