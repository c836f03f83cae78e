"""A shop whose photos are really there and really embedded, by ResNet-18."""
