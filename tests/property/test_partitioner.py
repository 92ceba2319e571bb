"""Records with a key go where other clients put them."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as other_murmur2

from kferry.messages.partitioner import murmur2, partition_of_key


@given(st.binary(max_size=64))
def test_the_hash_is_that_of_another_client(key: bytes) -> None:
    assert murmur2(key) == other_murmur2(key)


def test_keys_of_the_java_tests_hash_as_there() -> None:
    signed = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    assert {key: murmur2(key) - (1 << 32) for key in signed} == signed


@given(st.binary(max_size=16), st.integers(1, 1000))
def test_every_key_has_a_partition(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of_key(key, partitions) < partitions
