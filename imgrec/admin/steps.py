"""The page that shows how a product's list comes about, and why another product is not in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from imgrec import similar
from imgrec.admin.addresses import change_url, url_name
from imgrec.admin.earning_words import ONLY_ALWAYS
from imgrec.admin.photos import Photo, photos_of_items
from imgrec.conf import settings
from imgrec.paths import check_path
from imgrec.rules import Rule
from imgrec.space_rows import item_label
from imgrec.spaces import spaces_of
from imgrec.trace_stages import STEPS
from imgrec.tracing import Line, Trace, trace

if TYPE_CHECKING:
    from imgrec.admin.mixin import ImgrecAdminMixin

# Of the products that the words asked for find, at most.
MOST_FOUND = 10

NAMES = {
    "order": _("Similarity"),
    "visible": pgettext_lazy("imgrec", "Visible"),
    "recommend": pgettext_lazy("imgrec", "Recommended"),
    "among": pgettext_lazy("imgrec", "Chosen"),
    "similarity": pgettext_lazy("imgrec", "Similar enough"),
    "rules": pgettext_lazy("imgrec", "Rules"),
    "group": pgettext_lazy("imgrec", "Folded"),
    "diversity": pgettext_lazy("imgrec", "Diverse"),
    "limit": pgettext_lazy("imgrec", "Shown"),
}


class StepsForm(forms.Form):
    """What the list is asked with, and whom the question is about."""

    limit = forms.IntegerField(
        label=pgettext_lazy("imgrec", "How many"), min_value=1, max_value=64, required=False
    )
    min_similarity = forms.FloatField(
        label=_("At least as similar"), min_value=0, max_value=1, required=False
    )
    group_by = forms.CharField(
        label=pgettext_lazy("imgrec", "Group by"), max_length=200, required=False
    )
    fold = forms.FloatField(
        label=pgettext_lazy("imgrec", "Fold from"), min_value=0.01, max_value=1, required=False
    )
    diversity = forms.FloatField(
        label=pgettext_lazy("imgrec", "Diversity"), min_value=0, max_value=1, required=False
    )
    rule_set = forms.ChoiceField(label=_("Rule set"), required=False)
    about = forms.CharField(
        label=_("Why not here: key or words of a product"), max_length=200, required=False
    )

    def __init__(self, *args: Any, model: type[models.Model], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model = model
        for name, step in (("min_similarity", "0.01"), ("fold", "0.01"), ("diversity", "0.1")):
            self.fields[name].widget.attrs["step"] = step
        self.fields["limit"].widget.attrs["placeholder"] = "8"
        items = item_label(spaces_of(model)[0])
        sets = Rule.objects.not_ended().filter(item_model=items).sets()
        if sets:
            field: Any = self.fields["rule_set"]
            field.choices = [("", ONLY_ALWAYS), *((name, name) for name in sets)]
        else:
            del self.fields["rule_set"]

    def clean_group_by(self) -> str:
        """Allow a path over the product's own columns."""
        path: str = self.cleaned_data["group_by"]
        if path:
            try:
                check_path(self.model, path, option="")
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return path

    @property
    def options(self) -> dict[str, Any]:
        """Return what the search takes."""
        names = ("limit", "min_similarity", "group_by", "fold", "diversity", "rule_set")
        said = self.cleaned_data
        return {name: said[name] for name in names if said.get(name) not in (None, "")}


@dataclass(frozen=True)
class Row:
    """A line of the table; ``cells``: the rank after each step shown, None when it is out."""

    line: Line
    title: str
    url: str
    photo: Photo
    cells: list[int | None]
    rule_url: str  # of the rule that keeps it out, or lifts it
    add_urls: dict[str, str]  # to pin and to block it here
    is_about: bool


def steps_url(admin: ImgrecAdminMixin, key: Any) -> str:
    """Return the address of a product's page."""
    name = f"admin:{url_name(admin, 'steps')}"
    return reverse(name, args=[quote(key)], current_app=admin.admin_site.name)


@require_GET
def steps(request: HttpRequest, admin: ImgrecAdminMixin, object_id: str) -> HttpResponse:
    """Show the rank of each product after each step."""
    seed = admin.get_object(request, unquote(object_id))
    if not admin.has_view_permission(request, seed):
        raise PermissionDenied
    if seed is None or not spaces_of(admin.model):
        raise Http404
    asks = any(name in request.GET for name in StepsForm.base_fields)
    form = StepsForm(request.GET if asks else {}, model=admin.model)
    context: dict[str, Any] = {"form": form, "seed": seed}
    if form.is_valid():
        context |= _found(request, admin, seed, form)
    request.current_app = admin.admin_site.name
    whole = {
        **admin.admin_site.each_context(request),
        "title": gettext("Look-alikes: step by step"),
        "opts": admin.opts,
        "media": admin.media,
        "change_url": change_url(seed, admin.admin_site),
        "here": steps_url(admin, seed.pk),
        **context,
    }
    return TemplateResponse(request, "imgrec/admin/steps.html", whole)


def _found(
    request: HttpRequest, admin: ImgrecAdminMixin, seed: Any, form: StepsForm
) -> dict[str, Any]:
    words = form.cleaned_data["about"].strip()
    choices = _products(request, admin, words) if words else []
    about = choices[0] if len(choices) == 1 else None
    found = trace(seed, about=about, **form.options)
    shown = similar.similar_products(seed, **form.options)
    names = [name for name in STEPS if _matters(name, form.options)]
    rows = _rows(request, admin, seed, found, names)
    return {
        "trace": found,
        "steps": [NAMES[name] for name in names],
        "rows": rows,
        "about": next((row for row in rows if row.is_about), None),
        "choices": choices if len(choices) > 1 else [],
        "is_unknown": bool(words) and not choices,
        "way": shown.way,
        "is_same": found.keys == [found.space.item_key(each) for each in shown],
        "rules_url": _rules_url(request, admin),
    }


def _matters(step: str, options: dict[str, Any]) -> bool:
    """Return whether anything can drop out there: the page chooses among all products."""
    if step == "group":
        return bool(options.get("group_by") or options.get("fold"))
    if step == "diversity":
        return bool(options.get("diversity"))
    if step == "similarity":
        return bool(options.get("min_similarity", settings.min_similarity))
    return step != "among"


def _products(request: HttpRequest, admin: ImgrecAdminMixin, words: str) -> list[Any]:
    """Return the product of that key, else those that the admin's search finds."""
    rows = admin.get_queryset(request)
    try:
        key = admin.model._meta.pk.to_python(words)
        itself = list(rows.filter(pk=key)[:1])
    except (ValueError, forms.ValidationError, OverflowError):
        itself = []
    if itself or not admin.get_search_fields(request):
        return itself
    found, _may_repeat = admin.get_search_results(request, rows, words)
    return list(found.distinct()[:MOST_FOUND])


def _rows(
    request: HttpRequest, admin: ImgrecAdminMixin, seed: Any, found: Trace, names: list[str]
) -> list[Row]:
    user: Any = request.user
    site, places = admin.admin_site, [STEPS.index(name) for name in names]
    photos = photos_of_items([line.product for line in found.lines], found.space)
    sees_rules, adds = user.has_perm("imgrec.view_rule"), user.has_perm("imgrec.add_rule")
    rows = []
    for line in found.lines:
        rules = [line.why.rule] if line.why else [line.pinned, *line.boosts]
        rule = next((each for each in rules if each), None)
        rows.append(
            Row(
                line,
                str(line.product),
                change_url(line.product, site),
                photos.get(line.product.pk, Photo()),
                [line.ranks[place] for place in places],
                change_url(rule, site) if rule and sees_rules else "",
                _add_urls(found, seed, line) if adds else {},
                is_about=line is found.about,
            )
        )
    return rows


def _add_urls(found: Trace, seed: Any, line: Line) -> dict[str, str]:
    try:
        url = reverse("admin:imgrec_rule_add")
    except NoReverseMatch:
        return {}
    about = {
        "item_model": found.space.item_model._meta.label_lower,
        "target": Rule.Target.PRODUCT,
        "target_value": line.key,
        "beside": Rule.Beside.PRODUCT,
        "beside_value": found.space.item_key(seed),
    }
    actions = (Rule.Action.PIN, Rule.Action.BLOCK)
    return {str(each): f"{url}?{urlencode({**about, 'action': str(each)})}" for each in actions}


def _rules_url(request: HttpRequest, admin: ImgrecAdminMixin) -> str:
    user: Any = request.user
    try:
        url = reverse("admin:imgrec_rule_changelist", current_app=admin.admin_site.name)
    except NoReverseMatch:
        return ""
    return url if user.has_perm("imgrec.view_rule") else ""
