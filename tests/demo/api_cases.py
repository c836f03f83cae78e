"""What the test of the schema asks a filled shop: what it allows, what not, and real wares.

A schema cannot say which key is a product's, which bytes are a photo, or which ``after`` belongs to
a list: left to it alone, hardly a question would ever get a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from hypothesis import strategies as st

MODEL = "api/shop/product"
# Of these a drawn value is right by accident only, or for staff.
CHANCY = {"after", "part", "why"}


def known_keys(address: str, photo: bytes) -> list[str]:
    """Return the keys of products that the shop has, as it tells them itself."""
    asked = {"limit": "64"}
    answer = requests.post(
        f"{address}/{MODEL}/similar-to-photo/", data=asked, files={"photo": photo}, timeout=60
    )
    answer.raise_for_status()
    return [str(each["pk"]) for each in answer.json()["results"]]


def cases(operation: Any, keys: Sequence[str], photo: bytes) -> st.SearchStrategy[Any]:
    """Return the questions to one operation, of four kinds in about equal parts."""
    from schemathesis import GenerationMode

    negative = {"generation_mode": GenerationMode.NEGATIVE}
    if operation.method == "post":
        real = operation.as_strategy().map(lambda case: _with_photo(case, photo))
        return st.one_of(operation.as_strategy(), operation.as_strategy(**negative), real)
    key = st.sampled_from(keys)
    real = key.flatmap(lambda each: operation.as_strategy(path_parameters={"id": each}))
    wrong = key.flatmap(
        lambda each: operation.as_strategy(path_parameters={"id": each}, **negative)
    )
    return st.one_of(operation.as_strategy(), wrong, real, real.map(_plain))


def _plain(case: Any) -> Any:
    # In place: of what is put in anew, schemathesis asks itself whether the schema allows it.
    for name in CHANCY:
        case.query.pop(name, None)
    return case


def _with_photo(case: Any, photo: bytes) -> Any:
    from schemathesis.transport.serialization import Binary

    case.body.pop("part", None)
    case.body["photo"] = Binary(photo)
    for name in case.body:  # the schema cannot say that an option is given in one place only
        case.query.pop(name, None)
    return _plain(case)
