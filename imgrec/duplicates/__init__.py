"""The same photo on several products: found by workers, decided about by people, remembered.

``hashes`` tells copies from look-alikes in a few bits; ``hashing`` keeps those of all photos;
``limits`` measures on copies of the shop's own photos how near is near; ``finding`` writes down
which products share a photo, and ``deciding`` what they are to each other.
"""
