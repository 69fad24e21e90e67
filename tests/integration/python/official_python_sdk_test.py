"""Runs iGPT's official Python SDK, unchanged, against the sandbox.

IGPT_SANDBOX_URL is the sandbox's base URL, e.g. http://127.0.0.1:41234/v1. Needs the packages igptai and jsonschema.
"""

import datetime
import json
import os
import re
import unittest
import urllib.parse
import uuid

import jsonschema
import requests
from igptai import IGPT

BASE_URL = os.environ["IGPT_SANDBOX_URL"]
KEY = "ak:sandbox"

ACTION_ITEMS = {
    "type": "object",
    "properties": {
        "action_items": {
            "type": "array",
            "description": "List of action items",
            "items": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "description": "Short summary of the action item"},
                    "owner": {"type": "string", "description": "Person responsible for the action item"},
                    "due_date": {"type": "string", "format": "date"},
                },
                "required": ["title", "owner", "due_date"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["action_items"],
    "additionalProperties": False,
}

# A little of everything that schemas contain. jsonschema checks the instances.
SCHEMAS = [
    ACTION_ITEMS,
    {"type": "object", "properties": {"title": {"type": "string"}, "summary": {"type": ["string", "null"]}}},
    {"type": "array", "minItems": 2, "maxItems": 2, "uniqueItems": True, "items": {"type": "string"}},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}], "items": False, "minItems": 2},
    {"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 10}, "minItems": 3},
    {"type": "object", "required": ["a", "b"], "minProperties": 4, "additionalProperties": {"type": "integer"}},
    {"type": "object", "maxProperties": 1, "properties": {"a": True, "b": True}, "required": ["b"]},
    {"enum": [None, 3, "x"]},
    {"const": {"a": [1, None]}},
    {"type": ["null", "number"], "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
    {"type": "integer", "exclusiveMinimum": 2.5, "exclusiveMaximum": 4},
    {"type": "integer", "minimum": -9, "maximum": -3, "multipleOf": 4},
    {"type": "number", "multipleOf": 0.01, "minimum": 0.015},
    {"type": "string", "minLength": 200, "maxLength": 210},
    {"type": "string", "maxLength": 7},
    {"type": "string", "pattern": "^INV-\\d{4}-[A-F0-9]{2,}(?:x|y)?$"},
    {"type": "string", "pattern": "^[^\\s@]+@[^\\s@]+\\.[a-z]{2,}$", "minLength": 12},
    {"allOf": [{"type": "object", "properties": {"n": {"type": "number", "minimum": 2}}, "required": ["n"]},
               {"properties": {"n": {"maximum": 3}, "m": {"type": "integer"}}, "required": ["m"]}]},
    {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/p"}], "$defs": {"p": {"type": "object", "required": ["id"]}}},
    {"oneOf": [{"type": "string", "format": "email"}, {"type": "integer"}]},
    {"$ref": "#/definitions/node", "definitions": {"node": {
        "type": "object", "properties": {"id": {"type": "string"}, "next": {"$ref": "#/definitions/node"},
                                         "all": {"type": "array", "items": {"$ref": "#/definitions/node"}}},
        "required": ["id", "all"], "additionalProperties": False}}},
    {"type": "object", "properties": {
        "date": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"},
        "time": {"type": "string", "format": "time"}, "mail": {"type": "string", "format": "email"},
        "link": {"type": "string", "format": "uri"}, "id": {"type": "string", "format": "uuid"},
        "ip": {"type": "string", "format": "ipv4"}, "amount": {"type": "number"}, "paid": {"type": "boolean"},
        "priority": {"type": "string", "enum": ["low", "high"]}}, "additionalProperties": False},
]


class OfficialSdk(unittest.TestCase):
    def setUp(self):
        self.user = f"user-{uuid.uuid4()}"
        self.igpt = IGPT(api_key=KEY, user=self.user, base_url=BASE_URL)
        self.demo = IGPT(api_key=KEY, user="demo", base_url=BASE_URL)

    def connect(self):
        answer = self.igpt.connectors.authorize(service="spike", scope="messages")
        page = requests.get(answer["url"], timeout=10)
        self.assertEqual(page.status_code, 200)
        self.assertIn(self.user, page.text)

    def test_connect_list_search_ask_disconnect(self):
        self.assertEqual(self.igpt.datasources.list(), {"datasources": []})
        self.connect()
        statuses = [self.igpt.datasources.list()["datasources"][0]["status"] for _ in range(2)]
        self.assertEqual(statuses, ["indexing", "enabled"])
        [datasource] = self.igpt.datasources.list()["datasources"]
        self.assertEqual(datasource["progress"], 100)
        self.assertTrue(self.igpt.recall.search(query="budget")["results"])
        answer = self.igpt.recall.ask(input="What did we decide about the budget?")
        self.assertIn("412,000 euros", answer["output"])

        self.assertNotIn("error", self.igpt.datasources.disconnect(id=datasource["id"]))
        self.assertEqual(self.igpt.datasources.disconnect(id=datasource["id"]), {"error": "client_error"})
        self.assertEqual(self.igpt.datasources.list(), {"datasources": []})
        self.assertEqual(self.igpt.recall.search(query="budget")["results"], [])
        self.assertIn("Nothing is connected", self.igpt.recall.ask(input="Budget?")["output"])

    def test_redirect(self):
        state = "a&b=ü /%"
        answer = self.igpt.connectors.authorize(
            service="spike", scope="messages files", redirect_uri="https://app.example/cb?x=1#top", state=state)
        response = requests.get(answer["url"], allow_redirects=False, timeout=10)
        self.assertEqual(response.status_code, 302)
        location = urllib.parse.urlsplit(response.headers["Location"])
        self.assertEqual((location.netloc, location.path, location.fragment), ("app.example", "/cb", "top"))
        self.assertEqual(urllib.parse.parse_qs(location.query), {"x": ["1"], "state": [state]})
        self.assertRegex(location.query, re.compile(r"^[!-~]*$"))
        self.assertEqual(len(self.igpt.datasources.list()["datasources"]), 2)

    def test_search(self):
        found = self.demo.recall.search(query="budget allocation", filter_people="Emma", date_from="2026-06-01",
                                        date_to="2026-06-30", max_results=2)["results"]
        self.assertEqual([result["subject"] for result in found],
                         ["Final budget allocation for July to December", "Decision: second-half budget"])
        for result in found:
            datetime.datetime.fromisoformat(result["date"].replace("Z", "+00:00"))
            self.assertTrue(any("Emma" in person for person in [result["from"], *result["to"]]))
        self.assertEqual(len(self.demo.recall.search(max_results=3)["results"]), 3)
        self.assertEqual(self.demo.recall.search(date_from="2030-01-01")["results"], [])
        self.assertEqual(self.demo.recall.search(filter_people="Giraffe")["results"], [])

    def test_ask_streamed(self):
        for call in (self.demo.recall.ask, self.demo.recall.run):
            events = list(call(input="What did we decide about the budget?", stream=True, quality="cef-1-high"))
            self.assertEqual([event["seq"] for event in events], list(range(len(events))))
            self.assertEqual(events[0]["type"], "run.start")
            self.assertEqual(events[0]["context"]["quality"], "cef-1-high")
            self.assertEqual(events[-1]["type"], "run.done")
            text = "".join(event["delta"] for event in events if event["type"] == "run.output_text.delta")
            self.assertEqual(text, events[-1]["output"])
            self.assertIn("412,000 euros", text)
            calls = [event["item"] for event in events if event["type"] == "run.tool_call_item"]
            results = [event["item"] for event in events if event["type"] == "run.tool_call_output_item"]
            self.assertEqual([c["callId"] for c in calls], [r["callId"] for r in results])
            self.assertIsInstance(json.loads(calls[0]["arguments"]), dict)

    def test_run_takes_more_than_ask(self):
        question = {"input": "What did we decide about the budget?", "reasoning_effort": "low",
                    "instructions": "Answer in one sentence."}
        events = list(self.demo.recall.run(stream=True, **question))
        self.assertEqual(events[0]["context"]["reasoning_effort"], "low")
        whole = self.demo.recall.run(**question)
        self.assertEqual(whole["output"], events[-1]["output"])
        self.assertEqual(self.demo.recall.run(input="x", reasoning_effort=1), {"error": "params"})

    def test_json(self):
        output = self.demo.recall.ask(input="What did we decide about the budget?", output_format="json")["output"]
        self.assertIn("412,000 euros", output["answer"])
        self.assertTrue(output["sources"])

    def test_schemas(self):
        for schema in SCHEMAS:
            for client in (self.demo, self.igpt):  # with messages and without
                with self.subTest(schema=schema, user=client.user):
                    answer = client.recall.run(input="Extract all action items from the board meeting.",
                                               output_format={"strict": True, "schema": schema})
                    jsonschema.validate(answer["output"], schema, cls=jsonschema.Draft202012Validator,
                                        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)

    def test_schema_streamed(self):
        events = list(self.demo.recall.run(input="Extract all action items from the board meeting.", stream=True,
                                           output_format={"schema": ACTION_ITEMS}))
        text = "".join(event["delta"] for event in events if event["type"] == "run.output_text.delta")
        self.assertEqual(json.loads(text), events[-1]["output"])
        jsonschema.validate(events[-1]["output"], ACTION_ITEMS)
        self.assertTrue(events[-1]["output"]["action_items"])

    def test_errors(self):
        wrong = IGPT(api_key="ak:wrong", user="demo", base_url=BASE_URL)
        self.assertEqual(wrong.recall.ask(input="Budget?"), {"error": "auth"})
        self.assertEqual(list(wrong.recall.ask(input="Budget?", stream=True)), [{"error": "auth"}])
        self.assertEqual(self.demo.recall.ask(), {"error": "params"})
        self.assertEqual(list(self.demo.recall.run(stream=True)), [{"error": "params"}])
        self.assertEqual(IGPT(api_key=KEY, base_url=BASE_URL).datasources.list(), {"error": "params"})
        self.assertEqual(self.demo.recall.search(date_from="yesterday"), {"error": "params"})


if __name__ == "__main__":
    unittest.main()
