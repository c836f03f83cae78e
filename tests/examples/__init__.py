"""Shops of other shapes, as a stranger starts them."""
