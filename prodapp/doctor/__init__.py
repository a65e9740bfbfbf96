"""What is wrong with an installation, by name, and what to do about it.

Each check looks at one thing and yields findings; those that are safe to mend carry how.
"""
