"""Backups of the whole installation, made while it runs: rows, and the files they speak of.

One text form for both databases: each table's rows as JSON lines, read in one transaction that
sees one moment. It needs no program of the database's, a person can read it, and what SQLite wrote
PostgreSQL can take.
"""
