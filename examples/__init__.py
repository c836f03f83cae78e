"""Shops of other shapes; each starts by the ``run.py`` in its folder."""
