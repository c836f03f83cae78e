"""gunicorn's settings in tests; those an older gunicorn does not know, it skips."""

from __future__ import annotations

# It would write a socket into the home folder.
control_socket_disable = True
