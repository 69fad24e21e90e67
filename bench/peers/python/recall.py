"""igpt.v1.RecallService, and how the JSON of iGPT becomes its messages."""

import grpc
import orjson
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from igpt.v1 import datasources_pb2, recall_pb2, recall_pb2_grpc, run_event_pb2

from client import IgptError, error_of_code, malformed, protocol_error, truncated

# What setting a message's field to a value of an unexpected type or range raises; orjson's errors are ValueErrors.
UNREADABLE = (ValueError, TypeError, AttributeError)


class RecallServicer(recall_pb2_grpc.RecallServiceServicer):
    """A caller's cancel or deadline cancels the method, and with it the request to iGPT."""

    def __init__(self, client):
        self._client = client

    async def Ask(self, request, context):
        try:
            body = ask_body(request)
            want_json = "output_format" in body
            async with self._client.post("/recall/ask/", body) as answer:
                if request.whole_answer or not answer.is_event_stream:
                    event = whole_answer(await answer.read(), request, want_json)
                    await context.write(recall_pb2.AskResponse(event=event))
                else:
                    await send_events(answer, request.include_raw, want_json, context)
        except IgptError as error:
            await context.abort(error.code, error.message)

    async def Search(self, request, context):
        try:
            async with self._client.post("/recall/search/", search_body(request)) as answer:
                return search_response(await answer.read(), request.include_raw)
        except IgptError as error:
            await context.abort(error.code, error.message)


async def send_events(answer, include_raw, want_json, context):
    """Passes on every event as it arrives. Returns only if the answer is complete."""
    running = False
    async for data in answer.events():
        if data == b"[DONE]":
            continue
        event = run_event(data, include_raw, want_json)
        await context.write(recall_pb2.AskResponse(event=event))
        kind = event.WhichOneof("event")
        if kind == "completed":
            await answer.finish()
            return
        running = running or kind == "started"
    if running or not answer.is_framed:
        raise truncated()


def ask_body(request):
    body = {"user": request.user, "input": request.input, "stream": not request.whole_answer}
    if request.quality:
        body["quality"] = request.quality
    kind = request.output_format.WhichOneof("format")
    if kind == "json":
        body["output_format"] = "json"
    elif kind == "json_schema":
        body["output_format"] = schema_format(request.output_format.json_schema)
    return body


def schema_format(json_schema):
    try:
        orjson.loads(json_schema.schema)
    except orjson.JSONDecodeError:
        raise IgptError(grpc.StatusCode.INVALID_ARGUMENT, "output_format.json_schema.schema is not JSON") from None
    result = {"schema": orjson.Fragment(json_schema.schema)}
    if json_schema.name:
        result |= {"type": "json_schema", "name": json_schema.name}
    if json_schema.strict:
        result["strict"] = True
    return result


def search_body(request):
    body = {"user": request.user}
    for name in ("query", "date_from", "date_to", "max_results", "filter_people"):
        if value := getattr(request, name):
            body[name] = value
    return body


def run_event(data, include_raw, want_json):
    try:
        event = orjson.loads(data)
        if (code := event.get("error")) is not None:
            raise error_of_code(code)
        name = event.get("type")
        message = run_event_pb2.RunEvent(seq=event.get("seq"), type=name)
        if name == "run.output_text.delta":
            message.delta = event.get("delta") or ""
        elif name == "run.start":
            message.started.CopyFrom(started(event))
        elif name == "run.done":
            message.completed.CopyFrom(completed(event, want_json))
        else:
            include_raw = True
        if include_raw:
            message.raw_json = data
        return message
    except UNREADABLE:
        raise malformed() from None


def whole_answer(body, request, want_json):
    """An answer that is not a stream. If a stream was requested, it can only be an error from iGPT."""
    try:
        answer = orjson.loads(body)
        if (code := answer.get("error")) is not None:
            raise error_of_code(code)
        if not request.whole_answer:
            raise protocol_error()
        if "output" not in answer:  # then the whole answer is the output
            answer = {"output": answer}
        message = run_event_pb2.RunEvent(completed=completed(answer, want_json))
        if request.include_raw:
            message.raw_json = body
        return message
    except UNREADABLE:
        raise protocol_error() from None


def search_response(body, include_raw):
    try:
        answer = orjson.loads(body)
        if isinstance(answer, dict):
            if (code := answer.get("error")) is not None:
                raise error_of_code(code)
            answer = answer.get("results")
        response = recall_pb2.SearchResponse(results=[search_result(result) for result in answer or ()])
        if include_raw:
            response.raw_json = body
        return response
    except UNREADABLE:
        raise protocol_error() from None


def search_result(result):
    to = result.get("to")
    return recall_pb2.SearchResult(
        id=result.get("id"),
        subject=result.get("subject"),
        content=result.get("content") or result.get("body"),
        sender=result.get("from"),
        recipients=[to] if isinstance(to, str) else to,
        date=result.get("date"),
        thread_id=result.get("thread_id"))


def started(event):
    context = event.get("context") or {}
    output_format = event.get("output_format")
    return run_event_pb2.RunStarted(
        id=event.get("id"),
        start_time=timestamp(event.get("timestamp")),
        quality=context.get("quality"),
        reasoning_effort=context.get("reasoning_effort"),
        indexed=context.get("indexed"),
        datasources=[datasource(item) for item in context.get("datasources") or ()],
        output_format_json=None if output_format is None else orjson.dumps(output_format).decode())


def completed(event, want_json):
    """The end of an answer. Text that was requested as text is never parsed as JSON."""
    message = run_event_pb2.RunCompleted(
        id=event.get("id"),
        usage=usage(event.get("usage")),
        sources=[source(item) for item in (event.get("metadata") or {}).get("sources") or ()],
        start_time=timestamp(event.get("timestampStart")),
        end_time=timestamp(event.get("timestamp")))
    output = event.get("output")
    if isinstance(output, str):
        if want_json:
            orjson.loads(output)
            message.json = output
        else:
            message.text = output
    elif output is not None:  # re-encoded: in the same order, but integers over 64 bits become floats
        message.json = orjson.dumps(output).decode()
    if (milliseconds := event.get("duration")) is not None:
        duration = Duration()
        duration.FromMicroseconds(int(milliseconds * 1000))
        message.duration.CopyFrom(duration)
    return message


def usage(value):
    if value is None:
        return None
    return run_event_pb2.Usage(
        input_tokens=value.get("input_tokens"),
        output_tokens=value.get("output_tokens"),
        total_tokens=value.get("total_tokens"))


def source(item):
    return run_event_pb2.Source(
        id=item.get("id"),
        type=item.get("type"),
        item_time=timestamp(item.get("timestamp"), unit=1000),
        provider=item.get("provider"),
        picture=item.get("picture"),
        title=item.get("title"))


def datasource(item):
    return datasources_pb2.Datasource(
        id=item.get("id"),
        service=item.get("service"),
        type=item.get("type"),
        status=item.get("status"),
        title=item.get("title"),
        subtitle=item.get("subtitle"),
        progress=item.get("progress"),
        newest_item_time=timestamp(item.get("newest"), unit=1000),
        oldest_item_time=timestamp(item.get("oldest"), unit=1000))


def timestamp(value, unit=1):
    """A time that iGPT counts in units of this many milliseconds."""
    if value is None:
        return None
    result = Timestamp()
    result.FromMilliseconds(int(value * unit))
    return result
