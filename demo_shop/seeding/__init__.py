"""What the shop is filled with: a manifest, a folder, or a catalogue of its own."""
