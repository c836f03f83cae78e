"""A merchant's rules: listed by whether they hold, searched by product, typed with checks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from imgrec.admin import rule_pages
from imgrec.admin.rule_forms import RuleForm, item_models
from imgrec.admin.rule_names import Named, named
from imgrec.rules import Rule

# Products whose rules a search by words finds, at most.
MOST_FOUND = 200


class StateFilter(admin.SimpleListFilter):
    """Whether rules hold now."""

    title = pgettext_lazy("imgrec", "state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Name the three states."""
        return [
            ("active", _("active")),
            ("planned", pgettext_lazy("imgrec", "planned")),
            ("ended", pgettext_lazy("imgrec", "ended")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> QuerySet[Rule]:
        """Leave the rules of the state asked for."""
        rows: Any = queryset
        asked = self.value()
        if asked not in {"active", "planned", "ended"}:
            return queryset
        found: QuerySet[Rule] = getattr(rows, asked)()
        return found


class ProductInput(forms.TextInput):
    """A key, with the admin's own magnifying glass where there is one model to look in."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Add the link that opens the products' list and takes the key back."""
        typed = super().render(name, value, attrs, renderer)
        url = _products_url()
        if not url:
            return typed
        link = '{}<a href="{}" class="related-lookup" id="lookup_{}" title="{}"></a>'
        return format_html(link, typed, url, (attrs or {}).get("id", ""), gettext("Find a product"))


class SetInput(forms.TextInput):
    """A set's name, those that there are suggested."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Add the names."""
        typed = super().render(name, value, attrs, renderer)
        names = ((each,) for each in Rule.objects.sets())
        options = format_html_join("", "<option>{}</option>", names)
        return format_html('{}<datalist id="imgrec-sets">{}</datalist>', typed, options)


def _products_url() -> str:
    models = [*item_models().values()]
    if len(models) != 1:
        return ""
    meta = models[0]._meta
    try:
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    except NoReverseMatch:
        return ""
    return f"{url}?_to_field={meta.pk.name}"


@admin.register(Rule)
class RuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pins, blocks and boosts."""

    form = RuleForm
    list_display = [
        "done",
        "what",
        "where",
        "state",
        "rule_set",
        "starts_at",
        "ends_at",
        "note",
        "created_by",
    ]
    list_display_links = ["done"]
    list_filter = [StateFilter, "action", "target", "beside", "item_model"]
    list_per_page = 50
    search_fields = ["target_value", "beside_value", "rule_set", "note", "created_by"]
    search_help_text = _("Product, category, rule set, note or who made it")
    ordering = ["-id"]
    change_list_template = "imgrec/admin/rule_list.html"
    fieldsets = [
        (None, {"fields": ["item_model", "action", ("target", "target_value")]}),
        (pgettext_lazy("imgrec", "Where"), {"fields": [("beside", "beside_value"), "rule_set"]}),
        (pgettext_lazy("imgrec", "How"), {"fields": ["position", "factor"]}),
        (_("When and why"), {"fields": ["starts_at", "ends_at", "note"]}),
    ]

    class Media:
        css = {"all": ["imgrec/admin.css"]}

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Give the keys their magnifying glass."""
        if db_field.name in {"target_value", "beside_value"}:
            kwargs["widget"] = ProductInput(attrs={"class": "vTextField"})
            kwargs["help_text"] = _("The product's key, or the category's.")
        elif db_field.name == "rule_set":
            kwargs["widget"] = SetInput(attrs={"class": "vTextField", "list": "imgrec-sets"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: Any) -> None:
        """Note who made it."""
        if not change:
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Rule], search_term: str
    ) -> tuple[QuerySet[Rule], bool]:
        """Find rules by the words of their products, too."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        for label, model in item_models().items() if search_term else ():
            products: Any = self.admin_site._registry.get(model)
            if products and products.get_search_fields(request):
                rows, _repeats = products.get_search_results(
                    request, model._default_manager.all(), search_term
                )
                keys = [str(key) for key in rows.values_list("pk", flat=True)[:MOST_FOUND]]
                theirs = Q(target="product", target_value__in=keys) | Q(
                    beside="product", beside_value__in=keys
                )
                found = found | queryset.filter(theirs, item_model=label)
        return found, may_repeat

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Look up the names on the page at once."""
        changes = super().get_changelist_instance(request)
        rows: Any = list(changes.result_list)
        names = named(rows, self.admin_site)
        for row in rows:
            row.imgrec_names = names
        changes.result_list = rows
        return changes

    @admin.display(description=pgettext_lazy("imgrec", "action"), ordering="action")
    def done(self, row: Rule) -> str:
        """Say what is done, and how."""
        how = f" {row.position}" if row.position else ""
        return f"{row.get_action_display()}{how}" + (
            f" \N{MULTIPLICATION SIGN}{row.factor:g}" if row.factor else ""
        )

    @admin.display(description=pgettext_lazy("imgrec", "what"), ordering="target_value")
    def what(self, row: Rule) -> str:
        """Name what it is done to."""
        return _named(row, row.target, row.target_value)

    @admin.display(description=pgettext_lazy("imgrec", "beside"), ordering="beside_value")
    def where(self, row: Rule) -> str:
        """Name beside what."""
        if row.beside == Rule.Beside.ALL:
            return gettext("every product")
        return _named(row, row.beside, row.beside_value)

    @admin.display(description=pgettext_lazy("imgrec", "state"))
    def state(self, row: Rule) -> str:
        """Say whether it holds now."""
        if row.ends_at and row.ends_at <= now():
            colour, label = "excluded", pgettext("imgrec", "ended")
        elif row.starts_at and row.starts_at > now():
            colour, label = "queued", pgettext("imgrec", "planned")
        else:
            colour, label = "ready", gettext("active")
        tag = '<span class="imgrec-state imgrec-state--{}">{}</span>'
        return format_html(tag, colour, label)

    def get_urls(self) -> list[Any]:
        """Add the pages for files."""
        return [*rule_pages.urls(self), *super().get_urls()]


def _named(row: Any, kind: str, value: str) -> str:
    names: dict[Any, Named] = getattr(row, "imgrec_names", {})
    name = names.get((row.item_model, kind, value))
    if name is None and kind == "product":
        return format_html(
            '{} <span class="imgrec-tag">{}</span>', value, pgettext("imgrec", "not there")
        )
    text = name.title if name else value
    linked = format_html('<a href="{}">{}</a>', name.url, text) if name and name.url else text
    if kind == "category":
        return format_html(
            '<span class="imgrec-quiet">{}</span> {}', pgettext("imgrec", "category"), linked
        )
    return linked
