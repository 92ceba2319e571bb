"""The one line of JAAS that Kafka clients carry in `sasl.jaas.config`.

Owns its grammar: a login module, a flag, options. Knows which option holds name and password.
"""

import re

from kferry.config.settings import Secret
from kferry.errors import ConfigError

_TOKEN = re.compile(r"""\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s="';]+)|([=;]))""")


def credentials(jaas: str, *, where: str) -> tuple[str, Secret]:
    """Take user name and password out of a JAAS line, which is secret and never shown."""
    options = _options(_tokens(jaas, where), where)
    missing = [name for name in ("username", "password") if name not in options]
    if missing:
        raise ConfigError(
            f"{where} has no {' and no '.join(missing)}",
            hint='it looks like: org.apache.kafka…ScramLoginModule required username="…" '
            'password="…";',
        )
    return options["username"], Secret(options["password"])


def _tokens(jaas: str, where: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    text = jaas.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConfigError(
                f"{where} cannot be read: an open quote, or a stray character",
                hint="quote values that hold spaces or punctuation; end the line with a semicolon",
            )
        double, single, plain, sign = match.groups()
        quoted = double if double is not None else single
        tokens.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain or sign)
        position = match.end()
    return tokens


def _options(tokens: list[str], where: str) -> dict[str, str]:
    body = tokens[2:]  # the module class and its flag say nothing the mechanism does not
    if body and body[-1] == ";":
        body.pop()
    names, signs, values = body[0::3], body[1::3], body[2::3]
    if len(body) % 3 or any(sign != "=" for sign in signs):
        raise ConfigError(
            f'{where} cannot be read: options are written name="value"',
            hint="one login module with its options, and a semicolon at the end",
        )
    return dict(zip(names, values, strict=True))
