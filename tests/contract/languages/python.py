"""Python: grpcio-tools and mypy-protobuf. buf comes with them."""

import sys

from languages.language import Language
from names import snake
from page import block
from tools import ROOT, require, run

TYPES = {"bool": "bool", "bytes": "bytes", "double": "float", "float": "float", "int32": "int", "int64": "int",
         "string": "str", "uint32": "int", "uint64": "int"}
GOOGLE = {"google.protobuf.Duration": "Duration", "google.protobuf.Timestamp": "Timestamp"}

HEAD = f"""import asyncio
from typing import Literal, assert_type

import grpc
import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer, RepeatedScalarFieldContainer
from google.protobuf.timestamp_pb2 import Timestamp


def connect(address: str) -> grpc.Channel:
    {block("python limit")}    return channel


"""


class Writer:
    """Writes the program. It is checked by mypy, then run."""

    def __init__(self, contract):
        self.contract = contract
        self.files = {item.name: item.file for item in (*contract.messages, *contract.enums)}

    def write(self):
        lines = [f"from igpt.v1 import {file}_pb2, {file}_pb2_grpc" for file in self.contract.files]
        for message in self.contract.messages:
            lines += self._message(message)
        for enum in self.contract.enums:
            lines += self._enum(enum)
        for service in self.contract.services:
            lines += self._service(service)
        return HEAD + "\n".join(lines) + "\n"

    def _name(self, type_):
        return GOOGLE.get(type_) or f"{self.files[type_]}_pb2.{type_}"

    def _type(self, field):
        if field.kind == "message":
            type_ = self._name(field.type)
        else:
            type_ = f"{self._name(field.type)}.ValueType" if field.kind == "enum" else TYPES[field.kind]
        if not field.repeated:
            return type_
        kind = "Composite" if field.kind == "message" else "Scalar"
        return f"Repeated{kind}FieldContainer[{type_}]"

    def _message(self, message):
        name = self._name(message.name)
        arguments = ", ".join(f"{field.name}=m.{field.name}" for field in message.plain_fields)
        lines = ["", "", f"def {snake(message.name)}(m: {name}) -> None:", f"    m.CopyFrom({name}({arguments}))"]
        lines += [f'    assert_type(m.{field.name}, "{self._type(field)}")' for field in message.fields]
        lines += [f'    m.HasField("{field.name}")' for field in message.fields if field.optional or field.oneof]
        for oneof, arms in message.oneofs.items():
            names = ", ".join(f'"{arm.name}"' for arm in arms)
            lines.append(f"""    assert_type(m.WhichOneof("{oneof}"), 'Literal[{names}] | None')""")
            lines += [f"    {name}({arm.name}=m.{arm.name})" for arm in arms]
        return lines + ["", "", f"{snake(message.name)}({name}())"]

    def _enum(self, enum):
        file = f"{enum.file}_pb2"
        return ["", *(f'assert_type({file}.{value}, "{file}.{enum.name}.ValueType")' for value in enum.values),
                *(f'assert {file}.{enum.name}.Name({file}.{value}) == "{value}"' for value in enum.values)]

    def _service(self, service):
        grpc_file = f"{service.file}_pb2_grpc"
        sync = ["", "", f"def {snake(service.name)}(channel: grpc.Channel) -> None:",
                f"    stub = {grpc_file}.{service.name}Stub(channel)"]
        aio = ["", "", f"async def {snake(service.name)}_aio() -> None:",
               '    async with grpc.aio.insecure_channel("localhost:1") as channel:',
               f"        stub = {grpc_file}.{service.name}Stub(channel)"]
        for method in service.methods:
            callable_ = (f"{'UnaryStream' if method.streams else 'UnaryUnary'}MultiCallable["
                         f"{self._name(method.request)}, {self._name(method.response)}]")
            sync.append(f'    assert_type(stub.{method.name}, "grpc.{callable_}")')
            aio.append(f'        assert_type(stub.{method.name}, "grpc.aio.{callable_}")')
        return [*sync, *aio, "", "", f'{snake(service.name)}(connect("localhost:1"))',
                f"asyncio.run({snake(service.name)}_aio())"]


class Python(Language):
    name = "python"
    pins = ("requirements.txt",)
    has_buf = False
    mistakes = ("string from = 1;",)

    def require(self):
        require([sys.executable, "--version"], "3.11")

    def install(self, target):
        run([ROOT / "tests/integration/python/make_venv", sys.executable, target, self.folder / "requirements.txt"],
            self.folder, env={"CI": "true"})  # so that it fails where it can't

    def compile(self, contract, project):
        folder = project / "python"
        (folder / "contract.py").write_text(Writer(contract).write())
        run(["mypy", "--strict", "--disallow-any-expr", "--pretty", "--cache-dir", project / "mypy", "contract.py"],
            folder, self.path)
        run(["python", "contract.py"], folder, self.path)
