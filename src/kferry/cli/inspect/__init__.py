"""`kferry inspect`: what is really there, on either side or both. Writes nothing.

Owns one module for each thing to look at, and in `sides` what they share.
"""
