"""What administrators see of people: users, keys, sites, the audit trail."""
