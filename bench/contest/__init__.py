"""Contests: the same records carried by several programs over the same clusters, in turn.

Owns what the copy benchmarks share: loads, programs, rounds, what is measured and how it is kept.
"""
