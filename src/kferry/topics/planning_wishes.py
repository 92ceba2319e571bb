"""A topic of the source as people want it on the target: some configs left out, some given.

Owns what wishes do to a topic before it is looked at any further. Pure.
"""

import dataclasses

from kferry.config.plan_settings import TopicWishes
from kferry.topics.facts import TopicFacts


def as_wished(source: TopicFacts, wishes: TopicWishes) -> TopicFacts:
    """Return the topic as if it had just the configs that its counterpart shall have."""
    given = wishes.configs_for(source.name)
    if source.set_configs is None and not given:
        return source
    taken = {
        name: value
        for name, value in (source.set_configs or {}).items()
        if wishes.takes_config(name)
    }
    own = {
        name: value for name, value in (taken | given).items() if given.get(name, "") is not None
    }
    return dataclasses.replace(source, set_configs=own)


def unseen(source: TopicFacts, wished: TopicFacts) -> tuple[str, ...]:
    """Say what is missing where wishes stand in for settings that the source does not tell."""
    if source.set_configs is not None or wished.set_configs is None:
        return ()
    return ("the source does not tell its configs: it gets what `topics.configs` says, no more",)
