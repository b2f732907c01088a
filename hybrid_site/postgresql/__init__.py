"""A database backend: Django's for PostgreSQL, except that it seldom asks the server whether a connection still lives (`base.py`)."""
