"""One's own account: password, language, sessions, keys."""
