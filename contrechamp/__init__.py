"""What the platform, its audit and their faces share.

See ``docs/architecture.md`` for the layers. Nothing is imported here: a cheap import keeps the command
line quick and lets a reader use one layer without the others.
"""

__version__ = "0.1.0"
