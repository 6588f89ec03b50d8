"""The pages, one file each: they read the address, call pure views and lay them out."""
