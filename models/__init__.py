"""What the platform predicts. Code, not fitted artefacts. Models are handed records, never truth."""
