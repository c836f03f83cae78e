"""How good are the lists of this catalogue? Figures with a label and without, and a page to see.

``metrics`` is arithmetic on arrays; ``ranked`` and ``labels`` read a space; ``copies`` asks the
encoder; ``measuring`` puts figures together, and ``report`` shows pictures beside them.
"""
