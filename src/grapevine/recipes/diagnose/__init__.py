"""Says why a network fails on given data: what it can't tell apart, where it blurs, what never arrives, what to try."""

from grapevine.recipes.diagnose.diagnose import BUDGET, diagnose

__all__ = ["BUDGET", "diagnose"]
