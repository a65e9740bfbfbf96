"""How fast predictions are, and how often their intervals hold the truth."""
