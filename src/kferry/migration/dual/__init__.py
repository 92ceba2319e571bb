"""Applications that write both sides themselves: what their map files and both logs tell together.

Owns where a position of one side lies on the other, and which records only one side has.
"""
