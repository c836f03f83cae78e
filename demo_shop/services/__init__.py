"""A real PostgreSQL with pgvector and a real Redis from wheels, each in a folder of its own.

For the demo shop and the tests; a shop in production runs its own. Both listen on loopback only
and ask for a password kept in the folder, so other accounts of the machine stay out::

    with Postgres(folder) as postgres, Redis(folder) as redis:
        ...  # postgres.url, redis.url

A second start over the same folder is quick and finds the data of the first. Call ``start()``
from a thread that lives as long as the server should: on Linux a server ends with the thread
that started it, so that a crash leaves nothing behind.
"""

from demo_shop.services.launching import ServiceError, end_with_us, free_port
from demo_shop.services.postgres import Postgres
from demo_shop.services.redis_server import Redis

__all__ = ["Postgres", "Redis", "ServiceError", "end_with_us", "free_port"]
