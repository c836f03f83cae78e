"""The app: named steps at start-up, nothing else."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate, post_save, pre_migrate
from django.utils.translation import gettext_lazy as _


class ImgrecConfig(AppConfig):
    """Similar products for the project's own models."""

    name = "imgrec"
    verbose_name = _("Similar products")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what listens; nothing here touches the database or torch."""
        from imgrec import checks, extension, receivers, space_rows, steering
        from imgrec.monitoring import metrics

        checks.register_all()
        receivers.connect()
        metrics.connect()
        for saved in (post_save, post_delete):
            saved.connect(steering.forget, sender="imgrec.Rule", dispatch_uid="imgrec.steering")
        pre_migrate.connect(extension.before_migrations, sender=self, dispatch_uid="imgrec")
        post_migrate.connect(space_rows.after_migrations, sender=self, dispatch_uid="imgrec")
