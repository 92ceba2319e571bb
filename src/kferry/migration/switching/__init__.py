"""What a switch-over asks of two clusters, and writes down in the ledger.

Owns measuring: silence, members, lag, growth, what came too late. Knows no scheme and no order.
"""
