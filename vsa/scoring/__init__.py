"""What video analytics got right and wrong, on whom: boxes, tracks, events, and the subject of every alert.

What it cannot tell you: truth is an argument here, so this works on scenes that were written beforehand. A camera in a
street has no truth, and nothing below may be pointed at one.
"""
