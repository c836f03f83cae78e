"""The demo shop: what it is filled with, its pages, and how its check reads them."""
