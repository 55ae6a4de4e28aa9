"""The simulated network: who writes, when, about what and in which words, all of it decided by a seed."""
