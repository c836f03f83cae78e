"""The buying list in the admin: looked through for a few seconds at a time."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from imgrec import buying
from imgrec.admin.addresses import change_url, url_name
from imgrec.admin.photos import Photo, photos_of_items
from imgrec.admin.steps import steps_url
from imgrec.buying import Gap
from imgrec.rescue import sold_out
from imgrec.served import served_space
from imgrec.spaces import spaces_of

if TYPE_CHECKING:
    from imgrec.admin.mixin import ImgrecAdminMixin

# A page ends after so many gaps, or after so many seconds of looking.
GAPS_A_PAGE = 50
SECONDS_A_PAGE = 3.0


class BuyingForm(forms.Form):
    """What counts as enough, and as good."""

    fewer_than = forms.IntegerField(
        label=_("Fewer look-alikes than"), min_value=1, max_value=20, required=False
    )
    min_similarity = forms.FloatField(
        label=_("At least as similar"), min_value=0, max_value=1, required=False
    )

    @property
    def options(self) -> dict[str, Any]:
        """Return what the report takes."""
        given = self.cleaned_data
        usual = {"fewer_than": buying.FEWER_THAN, "min_similarity": buying.MIN_SIMILARITY}
        return {
            name: value if given[name] is None else given[name] for name, value in usual.items()
        }


@dataclass(frozen=True)
class Row:
    """A gap with what the page links to."""

    gap: Gap
    title: str
    url: str
    photo: Photo
    nearest: str
    nearest_photo: Photo
    steps_url: str


@require_GET
def buying_list(request: HttpRequest, admin: ImgrecAdminMixin) -> HttpResponse:
    """Show sold-out products that too little in stock looks like."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    if not spaces_of(admin.model):
        raise Http404
    asks = any(name in request.GET for name in BuyingForm.base_fields)
    form = BuyingForm(request.GET if asks else {})
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        context |= _found(admin, form, request.GET.get("after", ""))
    request.current_app = admin.admin_site.name
    whole = {
        **admin.admin_site.each_context(request),
        "title": gettext("Sold out, and nothing like it in stock"),
        "opts": admin.opts,
        "media": admin.media,
        **context,
    }
    return TemplateResponse(request, "imgrec/admin/buying_list.html", whole)


def buying_url(admin: ImgrecAdminMixin, **query: Any) -> str:
    """Return the address of the page."""
    name = f"admin:{url_name(admin, 'buying_list')}"
    found = reverse(name, current_app=admin.admin_site.name)
    return f"{found}?{urlencode(query)}" if query else found


def _found(admin: ImgrecAdminMixin, form: BuyingForm, after: str) -> dict[str, Any]:
    space, last, looked_at = served_space(admin.model), [after], [0]
    until = monotonic() + SECONDS_A_PAGE
    gaps: list[Gap] = []

    def seen(key: Any) -> None:
        last[0] = key
        looked_at[0] += 1
        if len(gaps) >= GAPS_A_PAGE or monotonic() > until:
            raise _EnoughError

    try:
        behind = admin.model._meta.pk.to_python(after) if after else None
    except forms.ValidationError as error:
        raise Http404 from error
    is_last = False
    try:
        for gap in buying.gaps(space, after=behind, seen=seen, **form.options):
            gaps.append(gap)  # noqa: PERF402 - what was found is kept when the time is over
        is_last = True
    except _EnoughError:
        pass
    return {
        "rows": _rows(admin, gaps, space),
        "total": sold_out(space).count(),
        "looked_at": looked_at[0],
        "is_last": is_last,
        "next_url": "" if is_last else buying_url(admin, after=last[0], **form.options),
        "is_first": behind is None,
        **form.options,
    }


class _EnoughError(Exception):
    """The page is full."""


def _rows(admin: ImgrecAdminMixin, gaps: list[Gap], space: Any) -> list[Row]:
    products = [gap.product for gap in gaps]
    nearest = [gap.nearest for gap in gaps if gap.nearest is not None]
    photos = photos_of_items([*products, *nearest], space)
    return [
        Row(
            gap,
            str(gap.product),
            change_url(gap.product, admin.admin_site),
            photos.get(gap.product.pk, Photo()),
            str(gap.nearest) if gap.nearest is not None else "",
            photos.get(gap.nearest.pk, Photo()) if gap.nearest is not None else Photo(),
            steps_url(admin, gap.product.pk),
        )
        for gap in gaps
    ]
