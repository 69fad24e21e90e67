"""Server-sent events."""


class TooLong(Exception):
    """An event is over the limit."""


class EventParser:
    """Splits a body into the data of its events."""

    def __init__(self, max_event_bytes):
        self._max_event_bytes = max_event_bytes
        self._rest = b""
        self._data = []

    def feed(self, chunk):
        """Returns the data of the events that this chunk completes."""
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > self._max_event_bytes:
            raise TooLong
        events = []
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data.clear()
        return events
