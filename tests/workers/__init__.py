"""Several workers on one database, killed and stopped in random order: who polled what, and what was stored of it."""
