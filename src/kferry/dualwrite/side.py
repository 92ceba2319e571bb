"""One of the two clusters: a producer, the thread that serves it, and who answers there.

Owns the thread. Answers come in it, in the order of each partition's log; the application's threads
never serve a producer, so that this order cannot be lost on the way.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from kferry.dualwrite.client import Settings

if TYPE_CHECKING:
    from confluent_kafka import Producer

_TICK_S = 0.05
_ASK_S = 0.2


class Side:
    """A producer that is served until it is stopped."""

    def __init__(
        self,
        name: str,
        client: ModuleType,
        settings: Settings,
        *,
        met: Callable[[], None],
        tick: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self.producer: Producer = client.Producer(settings)
        self.cluster_id: str | None = None
        self._failure: type[Exception] = client.KafkaException
        self._met = met
        self._tick = tick
        self._failed = failed
        self._hurried: set[object] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"dual-{name}", daemon=True)

    def start(self) -> None:
        """Begin to serve it."""
        self._thread.start()

    @contextlib.contextmanager
    def hurry(self) -> Iterator[None]:
        """Send without lingering for as long as the block lasts."""
        mark = object()
        self._hurried.add(mark)
        try:
            yield
        finally:
            self._hurried.discard(mark)

    def stop(self) -> None:
        """Serve it no more; what it has not sent is not sent."""
        self._stopping.set()
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            if self.cluster_id is None:
                self._ask()
            try:
                self._poll()
            except Exception as error:  # noqa: BLE001  # fatal here, or of a callback for tokens
                self._failed(error)
            self._tick()

    def _poll(self) -> None:
        # flush() alone sends what still lingers; with nothing to send it would not wait.
        if self._hurried and len(self.producer):
            self.producer.flush(_TICK_S)
        else:
            self.producer.poll(_TICK_S)

    def _ask(self) -> None:
        with contextlib.suppress(self._failure):
            self.cluster_id = self.producer.cluster_id(_ASK_S)
            if self.cluster_id is not None:
                self._met()
