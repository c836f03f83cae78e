"""The shop's back office."""

from __future__ import annotations

from django.contrib import admin

from demo_shop.catalogue.models import Category, Product


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["title", "sku", "category", "price", "stock", "published"]
    list_editable = ["stock", "published"]
    list_filter = ["published", "category"]
    list_select_related = ["category"]
    search_fields = ["title", "sku"]
    prepopulated_fields = {"slug": ["title"]}
