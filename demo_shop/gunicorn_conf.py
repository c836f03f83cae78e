"""gunicorn's settings under ``manage.py demo``; those an older gunicorn does not know, it skips."""

from __future__ import annotations

# One process: a page that waits for a worker to look at a photo holds up a thread, not the shop.
threads = 8
timeout = 60
graceful_timeout = 3
# It would write a socket into the home folder, one for all demos of this account.
control_socket_disable = True

# An `after` of the API may have 6,000 characters, where gunicorn takes 4,094 of all.
limit_request_line = 8190
