"""Names and addresses of the pages a shop's model gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from imgrec.admin.choosing import PAGE_PARAMETER
from imgrec.spaces import SpaceDefinition

if TYPE_CHECKING:
    from imgrec.admin.mixin import ImgrecAdminMixin


def url_name(admin: ImgrecAdminMixin, page: str) -> str:
    """Return the name of a page's url, within the admin's namespace."""
    return f"{admin.opts.app_label}_{admin.opts.model_name}_imgrec_{page}"


def address(admin: ImgrecAdminMixin, page: str, space: SpaceDefinition, **query: Any) -> str:
    """Return the address of a page about that space."""
    found = reverse(f"admin:{url_name(admin, page)}", current_app=admin.admin_site.name)
    return f"{found}?{urlencode({PAGE_PARAMETER: space.label, **query})}"


def change_url(row: models.Model, site: AdminSite) -> str:
    """Return the address of the row's change page, or "" when its model has none here."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    try:
        return reverse(name, args=[quote(row.pk)], current_app=site.name)
    except NoReverseMatch:
        return ""
