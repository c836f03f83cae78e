"""The shop's back office."""

from __future__ import annotations

from django.contrib import admin

from demo_shop.catalogue.models import Category, Product
from imgrec.admin import ImgrecAdminMixin

admin.site.site_header = admin.site.site_title = "Second Look"


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductAdmin(ImgrecAdminMixin, admin.ModelAdmin):
    list_display = ["title", "imgrec_state", "sku", "category", "price", "stock", "published"]
    list_editable = ["stock", "published"]
    list_filter = ["published", "category"]
    list_per_page = 50
    list_select_related = ["category"]
    search_fields = ["title", "sku"]
    prepopulated_fields = {"slug": ["title"]}
