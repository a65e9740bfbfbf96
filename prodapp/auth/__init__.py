"""Who gets in: passwords, sessions, tokens, keys, and the policy that every route declares."""
