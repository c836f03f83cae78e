"""Rules in and out as CSV; an import shows first what it would do."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from imgrec import rule_files
from imgrec.admin import rule_import
from imgrec.rules import Rule

# Rows that a page shows of what an import would do; all of those that are refused.
MOST_SHOWN = 200


def urls(admin: Any) -> list[Any]:
    """Return the pages' url patterns, to stand before the admin's own."""
    return [
        path(
            f"{name}/",
            admin.admin_site.admin_view(partial(view, admin=admin)),
            name=f"imgrec_rule_{name}",
        )
        for name, view in (("export", export), ("import", import_))
    ]


@require_GET
def export(request: HttpRequest, admin: Any) -> HttpResponseBase:
    """Give all rules, or those that the list shows, as a file."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    rules = Rule.objects.order_by("id").iterator(chunk_size=1000)
    response = StreamingHttpResponse(rule_files.written(rules), content_type="text/csv")
    response["Content-Disposition"] = 'attachment; filename="steering-rules.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def import_(request: HttpRequest, admin: Any) -> HttpResponse:
    """Take a file and show what it would do; do it when that is confirmed."""
    may_add, may_change = admin.has_add_permission(request), admin.has_change_permission(request)
    if not (may_add or may_change):
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, admin, {})
    data = _sent(request)
    try:
        if not data:
            raise rule_files.FileRefused(_("Choose a file."))
        plan = rule_import.plan_of(data, may_add=may_add, may_change=may_change)
    except rule_files.FileRefused as refused:
        return _page(request, admin, {"refusal": str(refused)})
    if "confirmed" in request.POST and not plan.refused:
        return _carried_out(request, admin, plan)
    text = data.decode("utf-8-sig")
    return _page(request, admin, {"plan": plan, "text": text, "shown": _shown(plan)})


def _sent(request: HttpRequest) -> bytes:
    """Return the file, or what was shown of it and now is confirmed."""
    file = request.FILES.get("file")
    if file is not None:
        return bytes(file.read(rule_files.MOST_BYTES + 1))
    return request.POST.get("text", "").encode()


def _shown(plan: rule_import.Plan) -> list[rule_import.Row]:
    others = [row for row in plan.rows if row.does != "refuse"]
    return [*plan.refused, *others[:MOST_SHOWN]]


def _carried_out(request: HttpRequest, admin: Any, plan: rule_import.Plan) -> HttpResponseRedirect:
    done = rule_import.carry_out(plan, request.user)
    text = ngettext("%(n)d rule was saved.", "%(n)d rules were saved.", done) % {"n": done}
    admin.message_user(request, text, messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:imgrec_rule_changelist"))


def _page(request: HttpRequest, admin: Any, context: dict[str, Any]) -> TemplateResponse:
    request.current_app = admin.admin_site.name
    whole = {
        **admin.admin_site.each_context(request),
        "title": _("Import rules"),
        "opts": admin.opts,
        "media": admin.media,
        "columns": rule_files.COLUMNS,
        "most_rows": rule_files.MOST_ROWS,
        **context,
    }
    return TemplateResponse(request, "imgrec/admin/rule_import.html", whole)
