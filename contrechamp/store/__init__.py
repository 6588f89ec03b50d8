"""The only place that touches disk, object store or database: the lake (Delta tables) and the runs (atomic folders)."""
