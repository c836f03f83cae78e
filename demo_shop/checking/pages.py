"""What the check reads from a page: cards, facts and forms, by HTML attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

Attributes = dict[str, str]


@dataclass
class Form:
    """A form's fields as a browser would send them without touching any."""

    fields: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """One parsed page.

    ``cards``: data-pk of the shop's own cards -> link; ``similar``: data-pk of imgrec's cards in
    order; ``product``: the data attributes of the product shown, with ``photo``, its address;
    ``forms``: by id ("" for one without).
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.cards: dict[int, str] = {}
        self.similarities: dict[int, float] = {}
        self.similar: list[int] = []
        self.product: Attributes = {}
        self.forms: dict[str, Form] = {}
        self.next_page = ""
        self._card = 0
        self._in_photo = False
        self._form: Form | None = None
        self._select = ""
        self._area: tuple[str, list[str]] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._see_shop(tag, values)
        if tag == "form":
            self._form = self.forms[values.get("id", "")] = Form()
        elif self._form is not None:
            self._see_field(tag, values, self._form)

    def _see_shop(self, tag: str, values: Attributes) -> None:
        classes = values.get("class", "").split()
        if "card" in classes:
            self._card = int(values["data-pk"])
            self.similarities[self._card] = float(values.get("data-similarity", "nan"))
        elif "card-link" in classes:
            self.cards[self._card] = values["href"]
        elif "imgrec-card" in classes and "data-pk" in values:
            self.similar.append(int(values["data-pk"]))
        elif "data-product" in values:
            self.product = values
        elif "product-photo" in classes:
            self._in_photo = True
        elif tag == "img" and self._in_photo:
            self.product["photo"] = values["src"]
            self._in_photo = False
        elif tag == "a" and values.get("rel") == "next":
            self.next_page = values["href"]

    def _see_field(self, tag: str, values: Attributes, form: Form) -> None:
        name = values.get("name", "")
        if tag == "input" and name and values.get("type") not in {"submit", "button", "file"}:
            box = values.get("type") in {"checkbox", "radio"}
            if not box or "checked" in values:
                form.fields.append((name, values.get("value", "on" if box else "")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in values:
            form.fields.append((self._select, values.get("value", "")))
        elif tag == "textarea":
            self._area = (name, [])

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None and self._form is not None:
            # HTML drops the line break that follows the opening tag.
            text = "".join(self._area[1]).removeprefix("\n")
            self._form.fields.append((self._area[0], text))
            self._area = None
        elif tag == "select":
            self._select = ""
        elif tag == "form":
            self._form = None
