"""A database backend: Django's for PostgreSQL, except that it asks whether a connection still lives without a round trip (`base.py`)."""
