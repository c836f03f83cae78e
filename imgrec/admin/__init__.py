"""imgrec in Django's admin.

In the admin of the model that owns the photos, or of the products they belong to::

    from imgrec.admin import ImgrecAdminMixin

    @admin.register(Product)
    class ProductAdmin(ImgrecAdminMixin, admin.ModelAdmin):
        ...

It adds to what the class declares, and replaces nothing: a column and filters for the photo's
state, the action "Reindex selected", the button "Reindex all" with its progress, the photos
that failed, and the similar products on the change page.
"""

from __future__ import annotations

from imgrec.admin.duplicate_admin import DuplicatePairAdmin
from imgrec.admin.earning_admin import ListCountAdmin
from imgrec.admin.experiment_admin import ExperimentAdmin
from imgrec.admin.job_admin import EmbeddingJobAdmin
from imgrec.admin.mixin import ImgrecAdminMixin
from imgrec.admin.placeholder_admin import PlaceholderAdmin
from imgrec.admin.rule_admin import RuleAdmin
from imgrec.admin.space_admin import SpaceAdmin

__all__ = [
    "DuplicatePairAdmin",
    "EmbeddingJobAdmin",
    "ExperimentAdmin",
    "ImgrecAdminMixin",
    "ListCountAdmin",
    "PlaceholderAdmin",
    "RuleAdmin",
    "SpaceAdmin",
]
