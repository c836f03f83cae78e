"""The two things a visitor can send: words and a photo."""

from __future__ import annotations

from django import forms


class SearchForm(forms.Form):
    """Words to look for in titles and SKUs; a CharField refuses NUL, which PostgreSQL would not."""

    q = forms.CharField(max_length=100, required=False, strip=True, label="Search the shop")


class PhotoForm(forms.Form):
    """One photo. A plain file field: the picture is judged by the worker, never opened here."""

    photo = forms.FileField(
        label="Your photo",
        error_messages={
            "required": "Choose a photo first.",
            "empty": "This file is empty. Choose another photo.",
        },
    )
