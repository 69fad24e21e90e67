#!/usr/bin/env python3
"""Includes only point down: from a room to the rooms below it, from the service to the SDK, and never back.

This reads the sources because no compiler can tell: every source sees the whole tree, and on Debian all the headers of
libraries are in /usr/include. What the SDK links is checked by package_test.
"""

import pathlib
import re
import tempfile
import unittest

# From the lowest floor up. A room may include itself and every room on a floor below its own, but no other room on its own
# floor. "." is the files that are in no room.
FLOORS = {
    "service": ["system", "contract", "observe", "limits edge", "rpc", "access", "api", "config",
                "standard admin sandbox http", "."],
    "sdk/cpp/igpt/internal": ["base", "json http", "policy", "call"],
}
# Rooms that may include one beside them.
BESIDE = {"service/admin": "http", "service/sandbox": "http"}

# What may not be included, where, and where it may be all the same.
FORBIDDEN = [
    ("the SDK knows no gRPC and no protobuf", r"grpc|google/|.*\.pb\.h", "sdk/cpp/", None),
    ("the SDK knows nothing above it", r"(service|sdk|tests|soak|fuzz|bench)/", "sdk/cpp/", None),
    ("only the SDK knows libcurl and simdjson, which validates UTF-8 too", r"curl/|simdjson", "service/",
     r"service/contract/utf8\.cc"),
    ("only the exporter of spans knows opentelemetry-cpp", r"opentelemetry/", "service/", r"service/observe/ot(el|lp)_"),
    ("the service knows no JSON but its callers file's and its sandbox's", r"nlohmann/", "service/",
     r"service/(access/(callers|json_place)|sandbox/)"),
    ("the service knows only the public headers of the SDK", r"igpt/internal/", "service/", None),
    ("the sandbox knows nothing of the client that asks it", r"igpt/(?!sandbox\.h)",
     ("service/sandbox/", "service/http/", "service/system/"), None),
    ("what serves tests is for tests", r"igpt/testing/", "", r"sdk/cpp/(igpt/testing|examples)/"),
    ("an include is written from the root of the sources", r"\.\.?/", "", None),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)


def includes(root):
    """(file, included) of every include of the service and the SDK, both relative to `root`."""
    for place in ("service", "sdk/cpp"):
        for file in sorted((root / place).rglob("*")):
            if file.name.endswith((".h", ".cc", ".h.in")):
                for included in INCLUDE.findall(file.read_text()):
                    yield str(file.relative_to(root)), included


def written_from_the_root(included):
    """The sandbox's public header is included as programs do."""
    return "service/sandbox/sandbox.h" if included == "igpt/sandbox.h" else included


def room_of(path):
    """The room of a path that is relative to the house: its first folder."""
    return path.split("/")[0] if "/" in path else "."


def missing_rooms(root):
    for house, floors in FLOORS.items():
        listed = set(" ".join(floors).split())
        there = {room_of(str(file.relative_to(root / house))) for file in (root / house).rglob("*.h")}
        for room in sorted(there - listed):
            yield f"{house}/{room}: is on no floor; add it to FLOORS"
        for room in sorted(listed - there):
            yield f"{house}/{room}: has no headers; remove it from FLOORS"


def against_the_floors(file, included):
    included = written_from_the_root(included)
    for house, floors in FLOORS.items():
        written = house.removeprefix("sdk/cpp/") + "/"  # how its headers are included
        if not file.startswith(house + "/") or not included.startswith(written):
            continue
        floor_of = {room: number for number, floor in enumerate(floors) for room in floor.split()}
        room, other = room_of(file.removeprefix(house + "/")), room_of(included.removeprefix(written))
        if room == other or room not in floor_of or BESIDE.get(f"{house}/{room}") == other:
            continue
        if floor_of.get(other, len(floors)) >= floor_of[room]:
            yield f"{house}/{room} is not above {house}/{other}"


def forbidden(file, included):
    for why, pattern, place, exception in FORBIDDEN:
        if file.startswith(place) and re.match(pattern, included) and not (exception and re.match(exception, file)):
            yield why


def findings(root):
    found = list(missing_rooms(root))
    for file, included in includes(root):
        for why in (*against_the_floors(file, included), *forbidden(file, included)):
            found.append(f"{file}: includes {included}: {why}")
    return found


class IncludesTest(unittest.TestCase):
    def test_the_sources_keep_to_it(self):
        found = findings(pathlib.Path(__file__).resolve().parents[2])
        if found:
            self.fail("\n".join([f"{len(found)} includes or rooms are wrong:", *found]))


class FindingsTest(unittest.TestCase):
    """That each kind of mistake is found, in a tree that is made up."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        for house, floors in FLOORS.items():
            for room in " ".join(floors).split():
                self.write(f"{house}/{room}/a.h")
        self.assertEqual(findings(self.root), [])

    def write(self, path, *included):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"#include {each}\n" for each in included))

    def test_what_is_right_is_not_found(self):
        self.write("service/rpc/b.cc", "<string>", '"absl/time/time.h"', '"grpcpp/server.h"', '"igpt/client.h"',
                   '"service/rpc/a.h"', '"service/edge/a.h"', '"service/system/a.h"')
        self.write("service/server.cc", '"service/readiness.h"', '"igpt/sandbox.h"')
        self.write("service/admin/b.cc", '"service/http/a.h"', '"service/config/a.h"')
        self.write("service/sandbox/b.cc", '"igpt/sandbox.h"', '"service/http/a.h"', '"nlohmann/json.hpp"')
        self.write("service/access/callers.cc", '"nlohmann/json.hpp"')
        self.write("sdk/cpp/igpt/client.cc", "<curl/curl.h>", '"igpt/internal/http/a.h"', '"simdjson.h"')
        self.write("sdk/cpp/igpt/internal/policy/b.cc", '"igpt/types.h"', '"igpt/internal/http/a.h"')
        self.write("sdk/cpp/igpt/testing/b.cc", '"igpt/testing/internal/a.h"', '"igpt/client.h"')
        self.write("sdk/cpp/examples/b.cc", '"igpt/testing/a.h"')
        self.assertEqual(findings(self.root), [])

    def test_every_wrong_include_is_found(self):
        wrong = [
            ("service/system/b.cc", '"service/contract/a.h"'),  # the floor above
            ("service/observe/b.h", '"service/sandbox/a.h"'),  # several above
            ("service/api/b.cc", '"service/readiness.h"'),  # what is in no room
            ("service/limits/b.cc", '"service/edge/a.h"'),  # beside
            ("service/edge/b.cc", '"service/limits/a.h"'),
            ("service/http/b.cc", '"service/admin/a.h"'),
            ("service/standard/b.cc", '"service/http/a.h"'),
            ("service/rpc/b.cc", '"service/nowhere/a.h"'),  # no room
            ("service/rpc/b.cc", '"../edge/a.h"'),
            ("service/server.cc", "<curl/curl.h>"),
            ("service/sandbox/b.cc", '"simdjson.h"'),
            ("service/sandbox/b.cc", '"igpt/client.h"'),
            ("service/http/b.cc", '"igpt/monotonic_time.h"'),
            ("service/api/b.cc", '"igpt/sandbox.h"'),  # above, by its public name
            ("service/api/b.cc", '"igpt/testing/event.h"'),
            ("sdk/cpp/igpt/client.cc", '"igpt/testing/event.h"'),
            ("service/access/user_hash.cc", "<nlohmann/json.hpp>"),
            ("service/main.cc", '"igpt/internal/base/a.h"'),
            ("sdk/cpp/igpt/internal/json/b.cc", '"igpt/internal/policy/a.h"'),
            ("sdk/cpp/igpt/internal/json/b.h", '"igpt/internal/http/a.h"'),
            ("sdk/cpp/igpt/client.h", '"grpcpp/channel.h"'),
            ("sdk/cpp/igpt/client.cc", "<google/protobuf/message.h>"),
            ("sdk/cpp/igpt/client.cc", '"igpt/v1/recall.pb.h"'),
            ("sdk/cpp/igpt/version.h.in", '"service/server.h"'),
            ("sdk/cpp/igpt/client.cc", '"tests/support/event.h"'),
        ]
        for file, included in wrong:
            with self.subTest(file=file, included=included):
                self.write(file, "<vector>", included)
                found = findings(self.root)
                self.assertEqual(len(found), 1, found)
                self.assertIn(f"{file}: includes {included[1:-1]}: ", found[0])
                (self.root / file).unlink()

    def test_rooms_and_floors_are_the_same(self):
        self.write("service/attic/a.h")
        (self.root / "service/rpc/a.h").unlink()
        self.assertEqual(findings(self.root), ["service/attic: is on no floor; add it to FLOORS",
                                               "service/rpc: has no headers; remove it from FLOORS"])


if __name__ == "__main__":
    unittest.main()
