"""The only package that talks to networks: it brings mentions in."""
