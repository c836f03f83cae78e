"""The ``IMGREC`` setting as one frozen, typed object, read on first use."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from os import PathLike
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed


@dataclass(frozen=True)
class Settings:
    """Every key of ``IMGREC`` with its default."""

    # What turns a picture into a vector, unless a field says otherwise: a dotted path to a class
    # or an instance.
    embedder: str = "imgrec.embedders.ResNet18"
    # Files that hold an encoder's weights, for hosts that cannot or may not download them:
    # {"resnet18": {"path": "/srv/weights/resnet18.pth", "sha256": "..."}}. Without "sha256"
    # the file must be torchvision's own IMAGENET1K_V1.
    weights: dict[str, dict[str, str]] = field(default_factory=dict)
    # Threads torch may use in each worker process. More than one makes processes fight.
    torch_threads: int = 1

    # What tells workers that there is work: "celery", or "django", the framework of Django 6.
    tasks: str = "celery"
    # The queue of imgrec's tasks. Start a worker for it: celery -A shop worker -Q imgrec
    queue: str = "imgrec"
    # Photos a worker process has in hand: one half is embedded while the other is decoded.
    batch_size: int = 32
    # Threads in which each worker process reads and decodes photos ahead of the encoder (0: none,
    # for a photo storage that no other thread may use).
    decode_threads: int = 4
    # A batch not finished after this long is taken over by another worker.
    lease_seconds: int = 30
    # How often a photo may start before it counts as one that kills its worker.
    max_attempts: int = 3
    # How often an idle worker looks for work nobody told it of (0: never, use beat).
    tick_seconds: int = 10
    # How often an idle worker compares the tables with the shop's rows (0: never, use beat).
    sweep_seconds: int = 60

    # A photo file larger than this fails with "file_too_large".
    max_file_bytes: int = 20_000_000
    # A picture with more pixels than this fails with "too_many_pixels", before it is decoded.
    max_pixels: int = 50_000_000

    # One and the same picture on more items than this is a placeholder, such as "no image yet",
    # and is left out (0: never).
    placeholder_above: int = 20

    # Whether shoppers may search by a photo of their own.
    photo_search: bool = True
    # The largest photo a shopper may send, in bytes.
    max_upload_bytes: int = 8_000_000
    # How many shoppers may wait for a worker at the same time, whoever they are (0: any number).
    # Each holds a thread of the web server while it waits.
    photo_at_once: int = 4
    # How many searches by photo there may be a minute, whoever asks (0: any number).
    photo_per_minute: int = 240
    # How long a page waits for a worker to embed a shopper's photo.
    photo_wait_seconds: float = 5.0
    # How many maps of photos ("why similar", "more like this part") are kept in Redis (0: none):
    # 50 KB each with ResNet-18, 125 KB with EfficientNet-Lite0.
    map_cache_photos: int = 400
    # How long such a map is kept (0: not at all).
    map_cache_seconds: int = 86_400
    # The Redis that carries shoppers' photos to a worker. Empty: the Celery broker, when Redis.
    redis_url: str = ""

    # Products less similar than this are not shown (0..1).
    min_similarity: float = 0.0
    # Where a product says its category, by model: {"catalogue.Product": "category"}, also over
    # foreign keys ("category__parent"). A match in percent is relative to it (without: to all),
    # and merchants' rules may name one.
    category: dict[str, str] = field(default_factory=dict)
    # Where it has its price, in the same way: what a price band is about.
    price: dict[str, str] = field(default_factory=dict)
    # How many neighbours a stored list holds at most.
    stored_neighbours: int = 96
    # A stored list that shrank below this is computed anew.
    refill_below: int = 64
    # Above this many products, all lists are built in tiles, by all workers together.
    spread_above: int = 20_000
    # Up to this many, a build compares every product with every other; above, with the
    # clusters of look-alikes around its own: nearly exact, and far less work.
    exact_lists_below: int = 250_000
    # Live search is exact up to this many eligible products, by the HNSW index above.
    exact_below: int = 5_000
    # hnsw.ef_search of live searches by the index, where none was measured for the space.
    ef_search: int = 200
    # A read of a page's that takes longer is given up, in milliseconds (0: never).
    live_timeout_ms: int = 2_000
    # Work that waits while nothing was done for so long is stalled: imgrec_health says so.
    stalled_seconds: int = 600
    # Whether lists that are shown, seen and clicked are counted: sums per day, nothing of anybody.
    count_clicks: bool = False
    # Whether this process counts searches for Prometheus; takes the extra "metrics".
    metrics: bool = False
    # What the poke may wait for the broker, in a thread of its own.
    broker_timeout_seconds: float = 1.0


# Keys that name a path for each model.
PATHS = ("category", "price")


def declared() -> dict[str, Any]:
    """Return the project's ``IMGREC`` dict as written, or an empty one."""
    value = getattr(django_settings, "IMGREC", None)
    return value if isinstance(value, dict) else {}


def known_keys() -> list[str]:
    """Return the keys ``IMGREC`` may hold."""
    return [each.name for each in fields(Settings)]


def has_type(key: str, value: Any) -> bool:
    """Return whether a value has the type of the key's default (a whole number may be a float)."""
    default = getattr(Settings(), key)
    if key == "weights":
        return isinstance(value, dict) and all(map(_is_weights_file, value.values()))
    if key in PATHS:
        return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    if isinstance(value, bool) or isinstance(default, bool):
        return type(value) is type(default)
    return isinstance(value, (int, float) if isinstance(default, float) else type(default))


def _is_weights_file(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256", ""), str):
        return False
    return isinstance(entry.get("path"), str | PathLike) and bool(str(entry["path"]))


class _LazySettings:
    """Reads ``IMGREC`` when first asked; forgets it when a test overrides the setting."""

    _loaded: Settings | None = None

    def __getattr__(self, name: str) -> Any:
        if self._loaded is None:
            known = set(known_keys())
            # What is of no use counts as left out: `check` shall say so, not a traceback before it.
            usable = {k: v for k, v in declared().items() if k in known and has_type(k, v)}
            self._loaded = Settings(**usable)
        return getattr(self._loaded, name)

    def forget(self) -> None:
        """Read the setting again on next use."""
        self._loaded = None


_lazy = _LazySettings()
settings: Settings = _lazy  # type: ignore[assignment]


def _forget_when_changed(*, setting: str, **kwargs: Any) -> None:
    if setting == "IMGREC":
        _lazy.forget()


setting_changed.connect(_forget_when_changed, dispatch_uid="imgrec.conf")


def redis_url() -> str:
    """Return the Redis that carries shoppers' photos, or ``""`` when there is none."""
    if settings.redis_url:
        return settings.redis_url
    broker = str(getattr(django_settings, "CELERY_BROKER_URL", "") or "")
    return _redis_among(broker) or _redis_among(_broker_of_celery())


def _redis_among(brokers: str) -> str:
    """Return the first Redis of a broker's addresses; several are alternatives, by ``;``."""
    schemes = ("redis://", "rediss://", "unix://")
    return next((url for url in brokers.split(";") if url.startswith(schemes)), "")


def _broker_of_celery() -> str:
    """Return what the shop's Celery app says, wherever its settings come from."""
    if settings.tasks == "django":
        return ""  # Celery is not to be imported
    from celery import current_app

    app: Any = current_app
    if app.main == "default" and not app.configured:
        return ""  # not the shop's, and to ask it would configure it
    broker = app.conf.broker_write_url or ""
    return broker if isinstance(broker, str) else ";".join(broker)
