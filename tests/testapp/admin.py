"""Admins as shops write them: what each declares itself must survive the mixin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path

from imgrec.admin import ImgrecAdminMixin
from tests.testapp import models


@admin.register(models.Product)
class ProductAdmin(ImgrecAdminMixin, admin.ModelAdmin):
    """A shop that has made its admin its own."""

    list_display = ["title", "price", "published"]
    list_editable = ["published"]
    list_filter = ["published"]
    search_fields = ["title"]
    actions = ["sell_out"]
    raw_id_fields = ["parent"]
    change_list_template = "testapp/product_list.html"
    change_form_template = "testapp/product_form.html"

    class Media:
        css = {"all": ["testapp/shop.css"]}

    @admin.action(description="Sell out")
    def sell_out(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        queryset.update(stock=0)

    def get_urls(self) -> list[Any]:
        stock = path("stock/", self.admin_site.admin_view(self.stock), name="product_stock")
        return [stock, *super().get_urls()]

    def stock(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("the shop's own page")


@admin.register(models.Item)
class ItemAdmin(ImgrecAdminMixin, admin.ModelAdmin):
    """The product of many photos."""


@admin.register(models.ItemPhoto)
class ItemPhotoAdmin(ImgrecAdminMixin, admin.ModelAdmin):
    """One of the photos."""


@admin.register(models.UuidProduct, models.LimitedProduct, models.BargainProduct)
class PlainAdmin(ImgrecAdminMixin, admin.ModelAdmin):
    """Nothing declared at all."""


@admin.register(models.TwoSpaces)
class TwoSpacesAdmin(ImgrecAdminMixin, admin.ModelAdmin):
    """Two encoders side by side; the column stands where the shop wants it."""

    list_display = ["imgrec_state", "__str__"]
    list_display_links = ["__str__"]
    actions = None
