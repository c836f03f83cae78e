"""What a list that loads after its page shows, signed, so that nobody can ask for other things."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from django.apps import apps
from django.core.signing import BadSignature, Signer
from django.db import models
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language


def _signer() -> Signer:
    # No time in it: the address stays the same from view to view, and so caches are of use.
    return Signer(salt="imgrec.fragments")


@dataclass(frozen=True)
class Fragment:
    """One ``{% similar_products product lazy=True %}``, as its address carries it."""

    model: str  # label
    key: str  # of the product, as text
    search: dict[str, Any]  # what similar_products() takes beside the product
    title: SafeString  # as HTML
    show_similarity: bool
    language: str  # the page's; the address of the fragment may be outside its prefix
    show_why: bool = False
    rescue: bool = False
    show_match: bool = False
    placement: str = ""  # the part of the shop's pages the list is counted for

    @classmethod
    def of(
        cls,
        product: models.Model,
        search: dict[str, Any],
        *,
        title: str,
        show_similarity: bool,
        show_why: bool = False,
        rescue: bool = False,
        show_match: bool = False,
        placement: str = "",
    ) -> Self:
        """Return the fragment of a saved product, in the language of the page."""
        language = get_language() or ""
        label, key = product._meta.label_lower, str(product.pk)
        html = conditional_escape(title)
        return cls(
            label,
            key,
            search,
            html,
            show_similarity,
            language,
            show_why,
            rescue,
            show_match,
            placement,
        )

    @property
    def token(self) -> str:
        """The fragment as text for an address."""
        values = asdict(self)
        if not self.show_why:
            del values["show_why"]  # addresses stay short
        if not self.placement:
            del values["placement"]
        return _signer().sign_object(values, compress=True)

    @classmethod
    def read(cls, token: str) -> Self:
        """Return the fragment a token carries.

        Raises:
            BadSignature: we did not sign it, or an imgrec that signed other things.
        """
        values = _signer().unsign_object(token)
        try:
            return cls(**{**values, "title": SafeString(values["title"])})
        except (KeyError, TypeError) as error:
            raise BadSignature("signed by another version of imgrec") from error

    @property
    def product_model(self) -> type[models.Model]:
        """The product's model. Raises ``LookupError`` when it has gone since."""
        return apps.get_model(self.model)

    def seed(self) -> models.Model | None:
        """Return the product, or None when there is none (any more). One SELECT."""
        return self.product_model._default_manager.filter(pk=self.key).first()
