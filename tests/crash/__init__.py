"""Ingest killed with SIGKILL again and again: a source, a process that reads it, a parent that kills the process."""
