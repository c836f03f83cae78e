"""A small real shop, made to show imgrec at work: ``python manage.py demo``."""
