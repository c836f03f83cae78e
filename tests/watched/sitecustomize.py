"""Python imports this by itself where this folder is on its path: every process is watched."""

from outgoing import watch

watch()
