"""Video and sound analytics: detectors, tracks, rules, alerts, and the scoring of them all.

What watches a clip is handed frames and the public half of its sidecar. Truth reaches this package only as an argument
of what measures (:mod:`vsa.scoring`) and of the oracle detectors.

What it cannot tell you: everything here runs on scenes that were drawn. Nothing in it has seen a street.
"""
