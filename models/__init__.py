"""The words and the rules: what a mention, a brand, a right and a figure are, and who may change them.

Knows the database and nothing of networks, browsers or schedules.
"""
