"""The command line: the only room, with `web`, that knows how things look.

Owns arguments, output and exit codes. Decides nothing about clusters.
"""
