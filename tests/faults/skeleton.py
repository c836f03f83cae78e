"""What a page is made of, without its texts: whoever smuggles markup in changes it."""

from __future__ import annotations

from html.parser import HTMLParser

LINKS = {"action", "data", "formaction", "href", "poster", "src", "srcdoc", "xlink:href"}
DANGEROUS = ("javascript:", "vbscript:", "data:text/html")


class Skeleton(HTMLParser):
    """``parts``: each tag with the names of its attributes; ``links``: where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[tuple[str, ...]] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Which option is chosen moves with the alphabet.
        self.parts.append((tag, *sorted(name for name, _value in attrs if name != "selected")))
        self.links += [value or "" for name, value in attrs if name in LINKS]
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self.parts.append((f"/{tag}",))
        self._in_script = False

    def handle_comment(self, data: str) -> None:
        self.parts.append(("comment",))

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)

    @property
    def dangerous_links(self) -> list[str]:
        """Return links that run a script when followed."""
        plain = ["".join(each.split()).lower() for each in self.links]
        return [each for each in plain if each.startswith(DANGEROUS)]
