"""The pure kernel: types and small functions that every layer may use.

No disk, clock, environment, logger or global seed is touched from here.
"""
