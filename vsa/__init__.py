"""Video and sound analytics.

Empty until the detectors and the rules are built; kept so that the layers hold from day one.
"""
