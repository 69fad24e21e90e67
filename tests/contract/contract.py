"""What protos declare, read from the descriptor set that buf makes of them."""

import dataclasses
import json
import subprocess


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    kind: str  # "string", "int32", ..., "enum" or "message"
    type: str = ""  # of an enum or a message: its name, such as "Stage" or "google.protobuf.Timestamp"
    repeated: bool = False
    optional: bool = False
    oneof: str = ""


@dataclasses.dataclass(frozen=True)
class Message:
    name: str
    file: str  # such as "run_event"
    fields: tuple

    @property
    def oneofs(self):
        """The fields of each oneof, by its name."""
        arms = {}
        for field in self.fields:
            if field.oneof:
                arms.setdefault(field.oneof, []).append(field)
        return arms

    @property
    def plain_fields(self):
        return [field for field in self.fields if not field.oneof]


@dataclasses.dataclass(frozen=True)
class Enum:
    name: str
    file: str
    values: tuple


@dataclasses.dataclass(frozen=True)
class Method:
    name: str
    request: str
    response: str
    streams: bool


@dataclasses.dataclass(frozen=True)
class Service:
    name: str
    file: str
    methods: tuple


@dataclasses.dataclass(frozen=True)
class Contract:
    files: tuple
    messages: tuple
    enums: tuple
    services: tuple


def read_contract(buf, protos):
    """The contract in this directory of protos."""
    image = subprocess.run(
        [buf, "build", protos, "--as-file-descriptor-set", "--exclude-imports", "--exclude-source-info", "-o",
         "-#format=json"], check=True, stdout=subprocess.PIPE, text=True).stdout
    files, messages, enums, services = [], [], [], []
    for file in json.loads(image)["file"]:
        name = file["name"].removeprefix("igpt/v1/").removesuffix(".proto")
        files.append(name)
        messages += [_message(message, name) for message in file.get("messageType", ())]
        enums += [_enum(enum, name) for enum in file.get("enumType", ())]
        services += [_service(service, name) for service in file.get("service", ())]
    return Contract(tuple(files), tuple(messages), tuple(enums), tuple(services))


def _message(message, file):
    if "nestedType" in message or "enumType" in message:
        raise NotImplementedError(f"{message['name']} has a type inside it or a map: teach the contract test about it")
    oneofs = [oneof["name"] for oneof in message.get("oneofDecl", ())]
    return Message(message["name"], file, tuple(_field(field, oneofs) for field in message.get("field", ())))


def _field(field, oneofs):
    optional = field.get("proto3Optional", False)
    return Field(
        name=field["name"],
        kind=field["type"].removeprefix("TYPE_").lower(),
        type=_type(field.get("typeName", "")),
        repeated=field["label"] == "LABEL_REPEATED",
        optional=optional,
        oneof=oneofs[field["oneofIndex"]] if "oneofIndex" in field and not optional else "")


def _enum(enum, file):
    return Enum(enum["name"], file, tuple(value["name"] for value in enum["value"]))


def _service(service, file):
    methods = []
    for method in service["method"]:
        if method.get("clientStreaming"):
            raise NotImplementedError(f"{method['name']} streams requests: teach the contract test about it")
        methods.append(Method(method["name"], _type(method["inputType"]), _type(method["outputType"]),
                              method.get("serverStreaming", False)))
    return Service(service["name"], file, tuple(methods))


def _type(name):
    return name.removeprefix(".igpt.v1.").removeprefix(".")
