"""The records of a batch compressed, as the codecs of Kafka want them framed.

Owns the levels. aiokafka's own builder takes the hardest ones: measured on JSON, gzip at 10 MB/s
and lz4 at 42 MB/s, for 2 and 26 percent fewer bytes than these make at 63 and 535 MB/s.
"""

import cramjam
from aiokafka.codec import snappy_encode

from kferry.records.header import Codec

_GZIP, _GZIP_HARD = 4, 9
_LZ4, _LZ4_HARD = 1, 9
_ZSTD, _ZSTD_HARD = 3, 12


def compress(data: memoryview, codec: Codec, *, hard: bool = False) -> bytes:
    """Compress; `hard` where a few bytes decide whether a record fits at all."""
    match codec:
        case Codec.GZIP:
            return bytes(cramjam.gzip.compress(data, _GZIP_HARD if hard else _GZIP))
        case Codec.SNAPPY:
            return bytes(snappy_encode(data))
        case Codec.LZ4:
            # Blocks that stand alone: Kafka reads no others (KIP-57).
            stream = cramjam.lz4.Compressor(
                level=_LZ4_HARD if hard else _LZ4, content_checksum=False, block_linked=False
            )
            stream.compress(bytes(data))
            return bytes(stream.finish())
        case Codec.ZSTD:
            return bytes(cramjam.zstd.compress(data, _ZSTD_HARD if hard else _ZSTD))
        case Codec.NONE:
            return bytes(data)
