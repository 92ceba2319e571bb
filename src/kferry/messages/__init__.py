"""Looking at records, and sending some: what the console tools and query pages are used for.

Owns searching, following and sending on one cluster. Knows nothing of copies and ledgers, and not
how a record is shown.
"""

from kferry.messages.filters import Filters
from kferry.messages.message import Message, State
from kferry.messages.places import MayNotRead, NotThere, Where, may_not_read
from kferry.messages.schemas import Schema, schema_of
from kferry.messages.search import Limit, Query, Search

__all__ = [
    "Filters",
    "Limit",
    "MayNotRead",
    "Message",
    "NotThere",
    "Query",
    "Schema",
    "Search",
    "State",
    "Where",
    "may_not_read",
    "schema_of",
]
