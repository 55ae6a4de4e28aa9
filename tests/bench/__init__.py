"""Figures: each module here has `run()`, which measures and returns them."""
