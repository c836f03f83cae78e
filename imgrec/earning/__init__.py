"""Does it earn? How often lists are shown, seen and clicked, and which of two arms does better.

Off unless ``IMGREC["count_clicks"]`` is on. First-party: no cookies, nobody recognised, nothing
kept of a shopper; what stays are sums per day. The way of a count::

    tag ─> marking: a signed token in the list ─> count.js in the browser ─> endpoint ─> visits:
    who is left out ─> tokens: ours, fresh? ─> counting: once only, added to the sum of its day

``experiments`` draws which of two spaces or rule sets a list is of, ``figures`` is the arithmetic,
``verdicts`` says what may be said, and when, ``winners`` keeps the rule set that did better.
docs/earning.md tells what is stored, and what it cannot tell.
"""
