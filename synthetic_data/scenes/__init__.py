"""Scenes: people on a square, a hall or a street corner, filmed by a camera, with the exact truth of every frame.

Drawn in three steps that share only tables: who comes and what they do (:mod:`synthetic_data.scenes.spec` says what is
asked), how each body stands in each frame (the poses), and what the camera sees of it (the renderer).
"""
