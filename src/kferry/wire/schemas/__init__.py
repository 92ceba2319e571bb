"""Layouts of messages that kafka-python does not carry, in Kafka's own notation.

Owns nothing but the JSON files beside it; `messages` makes classes of them.
"""
