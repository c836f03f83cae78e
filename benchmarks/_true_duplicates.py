"""Photos of the test data that show the same shot, listed by hand: the same thing in other colours.

Each line is one shot, by the names of its files without folder and ending.
"""

from __future__ import annotations

from itertools import combinations

SHOTS = """
luma-luma-stability-ball luma-luma-stability-ball-gray luma-luma-stability-ball-pink
luma-mh01-black luma-mh01-gray luma-mh01-orange
luma-mh02-black luma-mh02-purple luma-mh02-red
luma-mh03-black luma-mh03-blue luma-mh03-green
luma-mh04-green luma-mh04-white luma-mh04-yellow
luma-mh05-green luma-mh05-red luma-mh05-white
luma-mh06-black luma-mh06-blue luma-mh06-purple
luma-mh07-black luma-mh07-gray luma-mh07-green
luma-mh08-brown luma-mh08-purple luma-mh08-red
luma-mh09-blue luma-mh09-green luma-mh09-red
luma-mh10-black luma-mh10-blue luma-mh10-red
luma-mh11-orange luma-mh11-red luma-mh11-white
luma-mh12-blue luma-mh12-green luma-mh12-red
luma-mh13-blue luma-mh13-green luma-mh13-lavender
luma-mj01-orange luma-mj01-red luma-mj01-yellow
luma-mj02-green luma-mj02-orange luma-mj02-red
luma-mj03-black luma-mj03-green luma-mj03-red
luma-mj04-black luma-mj04-blue luma-mj04-purple
luma-mj06-blue luma-mj06-green luma-mj06-purple
luma-mj07-black luma-mj07-red luma-mj07-yellow
luma-mj08-blue luma-mj08-gray luma-mj08-green
luma-mj09-blue luma-mj09-white luma-mj09-yellow
luma-mj10-black luma-mj10-orange luma-mj10-red
luma-mj11-black luma-mj11-green luma-mj11-red
luma-mj12-black luma-mj12-blue luma-mj12-orange
luma-mp01-black luma-mp01-gray luma-mp01-purple
luma-mp02-blue luma-mp02-gray luma-mp02-red
luma-mp03-black luma-mp03-blue luma-mp03-green luma-mp03-red
luma-mp04-black luma-mp04-gray luma-mp04-green
luma-mp05-black luma-mp05-blue luma-mp05-green
luma-mp06-gray luma-mp06-green luma-mp06-orange
luma-mp07-black luma-mp07-blue luma-mp07-purple
luma-mp08-blue luma-mp08-green luma-mp08-red
luma-mp09-black luma-mp09-blue luma-mp09-red
luma-mp10-black luma-mp10-blue luma-mp10-green
luma-mp11-blue luma-mp11-brown luma-mp11-green
luma-mp12-black luma-mp12-blue luma-mp12-red
luma-ms01-black luma-ms01-blue
luma-ms01-brown luma-ms01-yellow
luma-ms02-blue luma-ms02-gray
luma-ms03-black luma-ms03-green
luma-ms03-gray luma-ms03-orange
luma-ms04-black luma-ms04-orange luma-ms04-red
luma-ms05-black luma-ms05-blue luma-ms05-purple
luma-ms06-blue luma-ms06-green luma-ms06-yellow
luma-ms07-black luma-ms07-green luma-ms07-white
luma-ms08-black luma-ms08-blue luma-ms08-red
luma-ms09-black luma-ms09-blue luma-ms09-red
luma-ms10-black luma-ms10-blue luma-ms10-red
luma-ms11-blue luma-ms11-green luma-ms11-yellow
luma-ms12-black luma-ms12-blue luma-ms12-red
luma-msh01-black luma-msh01-blue luma-msh01-red
luma-msh03-black luma-msh03-blue luma-msh03-green
luma-msh04-gray luma-msh04-purple luma-msh04-yellow
luma-msh05-black luma-msh05-blue luma-msh05-gray
luma-msh06-blue luma-msh06-gray luma-msh06-red
luma-msh07-black luma-msh07-blue luma-msh07-purple
luma-msh08-black luma-msh08-blue luma-msh08-green
luma-msh09-black luma-msh09-blue luma-msh09-green
luma-msh10-blue luma-msh10-green luma-msh10-purple
luma-msh11-black luma-msh11-blue luma-msh11-red
luma-msh12-black luma-msh12-gray luma-msh12-red
luma-mt01-gray luma-mt01-orange luma-mt01-red
luma-mt02-gray luma-mt02-red luma-mt02-white
luma-mt03-blue luma-mt03-red luma-mt03-yellow
"""


def pairs() -> set[frozenset[str]]:
    """Return every two photos of one shot."""
    shots = [line.split() for line in SHOTS.strip().splitlines()]
    return {frozenset(pair) for shot in shots for pair in combinations(shot, 2)}
