"""The iGPT HTTP API."""

import asyncio
import contextlib
import ssl

import aiohttp
import grpc
import orjson

from sse import EventParser, TooLong

CONNECT_TIMEOUT = 10
IDLE_TIMEOUT = 120
MAX_ANSWER_BYTES = 16 << 20
MAX_EVENT_BYTES = 1 << 20
# A body is read to its end, so that its connection can be reused, if that takes no longer than this.
MAX_REST_SECONDS = 0.1


class IgptError(Exception):
    """Why a call failed, as a gRPC status."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        self.message = message


def error_of_code(code):
    """The error that iGPT reports with HTTP 200."""
    if code == "auth":
        return IgptError(grpc.StatusCode.FAILED_PRECONDITION, "iGPT refused the API key")
    if code == "params":
        return IgptError(grpc.StatusCode.INVALID_ARGUMENT, "iGPT refused the parameters")
    return IgptError(grpc.StatusCode.UNKNOWN, f"iGPT reported the error {str(code)[:100]!r}")


def error_of_http_status(status):
    """The error for an HTTP status other than 200."""
    if status in (400, 422):
        return error_of_code("params")
    if status in (401, 403):
        return error_of_code("auth")
    if status == 429:
        return IgptError(grpc.StatusCode.RESOURCE_EXHAUSTED, "iGPT limits the rate of requests")
    code = grpc.StatusCode.UNAVAILABLE if status >= 500 else grpc.StatusCode.INTERNAL
    return IgptError(code, f"iGPT answered with HTTP {status}")


def malformed():
    return IgptError(grpc.StatusCode.DATA_LOSS, "iGPT sent an event that can't be read")


def protocol_error():
    return IgptError(grpc.StatusCode.INTERNAL, "the answer of iGPT is not what its API promises")


def too_large():
    return IgptError(grpc.StatusCode.RESOURCE_EXHAUSTED, "the answer of iGPT is too large")


def truncated():
    return IgptError(grpc.StatusCode.UNAVAILABLE, "the stream of iGPT stopped before its end")


class Client:
    """Sends requests to iGPT. Made and used within one event loop."""

    def __init__(self, base_url, key, ca_file=None):
        self._base_url = base_url.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context(cafile=ca_file)),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=IDLE_TIMEOUT),
            headers={
                "Authorization": f"Bearer {key}",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
                "X-Client": "igpt-grpc-python/1.0.0",
            },
            cookie_jar=aiohttp.DummyCookieJar())

    async def close(self):
        await self._session.close()

    @contextlib.asynccontextmanager
    async def post(self, path, body):
        """Yields the Answer. An HTTP status other than 200 is an IgptError."""
        try:
            async with self._session.post(
                    self._base_url + path, data=orjson.dumps(body), allow_redirects=False) as response:
                answer = Answer(response)
                if response.status != 200:
                    await answer.finish()
                    raise error_of_http_status(response.status)
                yield answer
        except TimeoutError:
            raise IgptError(grpc.StatusCode.UNAVAILABLE, "iGPT was silent for too long") from None
        except aiohttp.ClientPayloadError:
            raise truncated() from None
        except aiohttp.ClientError:
            raise IgptError(grpc.StatusCode.UNAVAILABLE, "iGPT can't be reached") from None


class Answer:
    """An HTTP answer under way."""

    def __init__(self, response):
        self._response = response
        self._bytes = 0

    @property
    def is_event_stream(self):
        return self._response.content_type == "text/event-stream"

    @property
    def is_framed(self):
        """Whether the body's end can be distinguished from a cut connection."""
        headers = self._response.headers
        return "Content-Length" in headers or "chunked" in headers.get("Transfer-Encoding", "").lower()

    async def _chunks(self):
        async for chunk in self._response.content.iter_any():
            self._bytes += len(chunk)
            if self._bytes > MAX_ANSWER_BYTES:
                raise too_large()
            yield chunk

    async def events(self):
        """Yields the data of every event as it comes."""
        parser = EventParser(MAX_EVENT_BYTES)
        try:
            async for chunk in self._chunks():
                for data in parser.feed(chunk):
                    yield data
        except TooLong:
            raise too_large() from None

    async def read(self):
        """The whole body."""
        return b"".join([chunk async for chunk in self._chunks()])

    async def finish(self):
        """Reads the rest of the body if its end is near, so that the connection can be reused."""
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, IgptError):
            async with asyncio.timeout(MAX_REST_SECONDS):
                await self.read()
