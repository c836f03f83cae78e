"""``manage.py demo --check``: the shop driven over HTTP as a visitor and a merchant would."""
