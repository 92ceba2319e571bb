"""Live traffic on a sandbox: real producers and consumers, told what to do, and judged afterwards.

Owns the clients, their journals and the verdict. Knows no command and nothing of how kferry copies.
"""
