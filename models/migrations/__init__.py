"""Alembic migrations. HEAD is the schema this release needs; a test holds it equal to alembic's own head."""

HEAD = "0008"
