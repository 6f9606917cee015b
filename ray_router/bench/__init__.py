"""Measures of the router, beside their peers, in one run. Figures without a verdict."""
