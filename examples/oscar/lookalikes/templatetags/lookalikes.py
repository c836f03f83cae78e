"""``{% load lookalikes %}``: filters for parents and their children."""

from __future__ import annotations

from django import template

from lookalikes import families

register = template.Library()
register.filter(families.canonical)
register.filter(families.photographed)
