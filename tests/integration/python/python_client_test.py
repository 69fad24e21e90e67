"""A client made from proto/ alone, against igptd with its sandbox.

IGPTD_BINARY is the path of igptd, IGPT_PROTO_DIR the directory of the protos.
"""

import json
import os
import sys
import tempfile
import unittest
import urllib.request
import uuid

import grpc
import jsonschema
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

from igptd_sandbox import start_igptd

PROTOS = ["connectors", "datasources", "error_reason", "recall", "run_event"]

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "items": {"type": "array", "items": {"type": "string"}}},
    "required": ["title", "items"],
    "additionalProperties": False,
}


def setUpModule():
    global recall, connectors, datasources, errors, stubs, process
    generated = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(generated.cleanup)
    root = os.environ["IGPT_PROTO_DIR"]
    well_known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
    failed = protoc.main(["protoc", f"-I{root}", f"-I{well_known}", f"--python_out={generated.name}",
                          f"--grpc_python_out={generated.name}"]
                         + [f"{root}/igpt/v1/{name}.proto" for name in PROTOS])
    assert not failed
    sys.path.insert(0, generated.name)
    from igpt.v1 import connectors_pb2 as connectors
    from igpt.v1 import connectors_pb2_grpc
    from igpt.v1 import datasources_pb2 as datasources
    from igpt.v1 import datasources_pb2_grpc
    from igpt.v1 import error_reason_pb2 as errors
    from igpt.v1 import recall_pb2 as recall
    from igpt.v1 import recall_pb2_grpc

    process, address = start_igptd(unittest.addModuleCleanup)
    channel = grpc.insecure_channel(address)
    unittest.addModuleCleanup(channel.close)
    stubs = {
        "recall": recall_pb2_grpc.RecallServiceStub(channel),
        "connectors": connectors_pb2_grpc.ConnectorsServiceStub(channel),
        "datasources": datasources_pb2_grpc.DatasourcesServiceStub(channel),
    }


def error_info(error):
    """The ErrorInfo of an RpcError, and its BadRequest or None."""
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    found = [[detail.Unpack(message) for message in (info, bad)] for detail in rpc_status.from_call(error).details]
    assert any(is_info for is_info, _ in found)
    return info, bad if any(is_bad for _, is_bad in found) else None


class PythonClient(unittest.TestCase):
    def setUp(self):
        self.user = f"user-{uuid.uuid4()}"

    def list(self):
        return stubs["datasources"].List(datasources.ListRequest(user=self.user), timeout=30).datasources

    def ask(self, **request):
        return stubs["recall"].Ask(recall.AskRequest(user=self.user, **request), timeout=60)

    def run_(self, **request):
        return stubs["recall"].Run(recall.RunRequest(user=self.user, **request), timeout=60)

    def connect(self):
        request = connectors.AuthorizeRequest(user=self.user, service="spike", scope="messages")
        url = stubs["connectors"].Authorize(request, timeout=30).url
        with urllib.request.urlopen(url, timeout=30) as page:
            self.assertEqual(page.status, 200)
        for _ in range(1000):
            [datasource] = self.list()
            if datasource.status == "enabled":
                return datasource
        self.fail("the datasource never became enabled")

    def test_all_rpcs(self):
        self.assertEqual(len(self.list()), 0)
        datasource = self.connect()
        self.assertEqual(datasource.progress, 100)

        request = recall.SearchRequest(user=self.user, query="budget", max_results=2)
        found = stubs["recall"].Search(request, timeout=30).results
        self.assertEqual(len(found), 2)
        self.assertTrue(all(result.subject and result.content and result.sender for result in found))

        question = "What did we decide about the budget?"
        for stream in (self.ask(input=question),
                       self.run_(input=question, reasoning_effort="low", instructions="Be brief.")):
            events = [response.event for response in stream if response.HasField("event")]
            kinds = [event.WhichOneof("event") for event in events]
            self.assertEqual((kinds[0], kinds[-1]), ("started", "completed"))
            self.assertLessEqual({"turn", "reasoning", "tool_call", "tool_output", "output_item"}, set(kinds))
            text = "".join(event.delta for event in events)
            self.assertEqual(text, events[-1].completed.text)
            self.assertIn("412,000 euros", text)
            self.assertTrue(events[-1].completed.sources)
            self.assertEqual([event.seq for event in events], sorted(event.seq for event in events))
        self.assertEqual(events[0].started.reasoning_effort, "low")

        schema = recall.OutputFormat(json_schema=recall.JsonSchemaFormat(schema=json.dumps(SCHEMA), strict=True))
        for whole in (False, True):
            for call in (self.ask, self.run_):
                *_, last = call(input="What did we decide?", output_format=schema, whole_answer=whole)
                jsonschema.validate(json.loads(last.event.completed.json), SCHEMA)

        request = datasources.DisconnectRequest(user=self.user, id=datasource.id)
        stubs["datasources"].Disconnect(request, timeout=30)
        self.assertEqual(len(self.list()), 0)
        with self.assertRaises(grpc.RpcError) as raised:
            stubs["datasources"].Disconnect(request, timeout=30)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)
        self.assertEqual(error_info(raised.exception)[0].reason, "IGPT_NOT_FOUND")

    def test_errors_can_be_read(self):
        with self.assertRaises(grpc.RpcError) as raised:
            stubs["recall"].Search(recall.SearchRequest(date_from="2026-02-30", max_results=-1), timeout=30)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        info, bad = error_info(raised.exception)
        self.assertEqual((info.domain, info.reason), ("igptd", "INVALID_REQUEST"))
        self.assertIn("ERROR_REASON_" + info.reason, errors.ErrorReason.keys())
        self.assertEqual([violation.field for violation in bad.field_violations], ["user", "date_from", "max_results"])
        self.assertIn("x-request-id", dict(raised.exception.trailing_metadata()))

    def test_a_stream_can_be_cancelled(self):
        self.user = "demo"
        call = self.ask(input="What did we decide about the budget?")
        self.assertIn("x-request-id", dict(call.initial_metadata()))
        self.assertTrue(next(call).event.HasField("started"))
        call.cancel()
        with self.assertRaises(grpc.RpcError) as raised:
            list(call)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.CANCELLED)


if __name__ == "__main__":
    unittest.main()
