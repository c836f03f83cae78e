"""Pages of front ends that Django did not render, beside the demo shop."""

from __future__ import annotations

from playwright.sync_api import Page

ADDRESS = "/another-front-end/"
PAGE = """<!doctype html><html lang="en"><head><title>Elsewhere</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/imgrec/similar_products.css">{head}</head>
<body><main><h1>A product</h1>{body}</main></body></html>"""


def open_front(page: Page, *, head: str = "", body: str) -> None:
    """Open a page of that body, at an address of the shop's own host."""
    html = PAGE.format(head=head, body=body)
    page.route(f"**{ADDRESS}", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(ADDRESS)
