"""Words for people, made from the names of files and folders."""

from __future__ import annotations

import re

# Folders that only say "here are pictures" are no category.
NO_CATEGORY = {"", ".", "files", "images", "img", "photos", "pictures", "media"}
DEFAULT_CATEGORY = "Photos"


def title_of(stem: str) -> str:
    """``summer_dress-02`` as "Summer dress 02"."""
    words = re.sub(r"[\s_\-]+", " ", stem).strip() or "Untitled"
    return (words[0].upper() + words[1:])[:200]


def category_of(folder: str) -> str:
    """A folder's name as a category; "Photos" for a folder whose name says nothing."""
    return DEFAULT_CATEGORY if folder.lower() in NO_CATEGORY else title_of(folder)[:100]


def sku_of(path: str) -> str:
    """A SKU from a path inside the source: ``Bags/tote 1.jpg`` becomes ``BAGS-TOTE-1.JPG``."""
    return re.sub(r"[^A-Z0-9.]+", "-", path.upper()).strip("-")[:100]
