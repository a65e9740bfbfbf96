"""How far a ranking can be trusted: verdicts on variables, and intervals of ranks."""
