"""Looking at records, and sending some: what the console tools and query pages are used for.

Owns searching, following and sending on one cluster. Knows nothing of copies and ledgers, and not
how a record is shown.
"""

from kferry.messages.ends import Ends, ends_of, record_at
from kferry.messages.filters import Filters
from kferry.messages.follow import Follower
from kferry.messages.message import Message, State
from kferry.messages.places import MayNotRead, NotThere, Where, may_not_read, partitions_of
from kferry.messages.schemas import Schema, schema_of
from kferry.messages.search import Limit, Query, Search
from kferry.messages.send import Draft, NotSent, Sender, Sent

__all__ = [
    "Draft",
    "Ends",
    "Filters",
    "Follower",
    "Limit",
    "MayNotRead",
    "Message",
    "NotSent",
    "NotThere",
    "Query",
    "Schema",
    "Search",
    "Sender",
    "Sent",
    "State",
    "Where",
    "ends_of",
    "may_not_read",
    "partitions_of",
    "record_at",
    "schema_of",
]
