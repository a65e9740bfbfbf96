"""Features made from the variables of a table, each known by the variables that it comes from."""
