"""Thin calls over `wire`: one question, one typed answer.

Owns which Kafka call answers what, and how answers of different ages are read. Decides nothing
about migrations; batches, never loops over single objects where the protocol takes many.
"""
