"""The scorecard of trust: verdicts and rank intervals against simulated tables of known truth."""
