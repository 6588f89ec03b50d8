"""One module per paper that can be run again; what it is compared with lives in ``papers/<key>/``."""
