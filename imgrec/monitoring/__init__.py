"""For whoever runs the shop: is work going on, and how much of it."""
