"""TypeScript: protoc-gen-es on Node."""

import os
import shutil

from languages.language import Language
from names import lower_camel, without_prefix
from page import block
from tools import require, run

TYPES = {"bool": "boolean", "bytes": "Uint8Array", "double": "number", "float": "number", "int32": "number",
         "int64": "bigint", "string": "string", "uint32": "number", "uint64": "bigint"}
GOOGLE = {"google.protobuf.Duration": "Duration", "google.protobuf.Timestamp": "Timestamp"}

HEAD = f"""import {{ create }} from "@bufbuild/protobuf";
import type {{ DescMethodServerStreaming, DescMethodUnary }} from "@bufbuild/protobuf";
import type {{ Duration, Timestamp }} from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";

export function connect(address: string): grpc.Client {{
{block("ts limit")}  return client;
}}

// An application logs and stores messages as JSON. A BigInt makes that throw.
const noJson: string[] = [];
export function checkJson(field: string, message: unknown): void {{
  try {{
    JSON.stringify(message);
  }} catch (error) {{
    noJson.push(`a message with ${{field}} can't be written as JSON: ${{error}}`);
  }}
}}

"""
CALL = f"""
import {{ fromBinary, toBinary }} from "@bufbuild/protobuf";
import {{ AskRequestSchema, AskResponseSchema }} from "./igpt/v1/all.js";
import type {{ AskRequest }} from "./igpt/v1/all.js";

export function ask(client: grpc.Client): grpc.ClientReadableStream<v1.AskResponse> {{
{block("ts call")}  return responses;
}}
"""
TAIL = """
if (noJson.length > 0) {
  console.log(noJson.join("\\n"));
  process.exit(1);
}
"""


def type_of(field):
    if field.kind == "message":
        type_ = GOOGLE.get(field.type) or f"v1.{field.type}"
    else:
        type_ = f"v1.{field.type}" if field.kind == "enum" else TYPES[field.kind]
    if field.repeated:
        return f"{type_}[]"
    return f"{type_} | undefined" if field.optional or field.kind == "message" and not field.oneof else type_


def write_message(message):
    lines = [f"export function use{message.name}(m: v1.{message.name}): void {{"]
    for field in message.plain_fields:
        lines += [f"  const {lower_camel(field.name)}_: {type_of(field)} = m.{lower_camel(field.name)};",
                  f"  create(v1.{message.name}Schema, {{ {lower_camel(field.name)}: {lower_camel(field.name)}_ }});"]
    for oneof, arms in message.oneofs.items():
        lines.append(f"  switch (m.{lower_camel(oneof)}.case) {{")
        for arm in arms:
            lines += [f'    case "{lower_camel(arm.name)}": {{',
                      f"      const value: {type_of(arm)} = m.{lower_camel(oneof)}.value;",
                      f"      create(v1.{message.name}Schema, {{ {lower_camel(oneof)}: "
                      f'{{ case: "{lower_camel(arm.name)}", value }} }});',
                      "      break;", "    }"]
        lines += ["    case undefined:", "      break;", "    default: {",
                  f"      const none: never = m.{lower_camel(oneof)};", "      void none;", "    }", "  }"]
    lines += ["}", f"use{message.name}(create(v1.{message.name}Schema));"]
    return lines + [write_json_check(message, field) for field in message.fields if "int" in field.kind]


def write_json_check(message, field):
    value = "1n" if field.kind.endswith("64") else "1"
    if field.repeated:
        value = f"[{value}]"
    if field.oneof:
        value = f'{lower_camel(field.oneof)}: {{ case: "{lower_camel(field.name)}", value: {value} }}'
    else:
        value = f"{lower_camel(field.name)}: {value}"
    return f'checkJson("{message.name}.{field.name}", create(v1.{message.name}Schema, {{ {value} }}));'


def write_enum(enum):
    return [f"export const {enum.name}{value}: v1.{enum.name} = v1.{enum.name}.{without_prefix(enum.name, value)};"
            for value in enum.values]


def write_service(service):
    lines = []
    for method in service.methods:
        kind = "DescMethodServerStreaming" if method.streams else "DescMethodUnary"
        lines += [f"export const {service.name}{method.name}:",
                  f"  {kind}<typeof v1.{method.request}Schema, typeof v1.{method.response}Schema> =",
                  f"  v1.{service.name}.method.{lower_camel(method.name)};"]
    return lines


class TypeScript(Language):
    name = "typescript"
    pins = (".npmrc", "package.json", "package-lock.json")
    mistakes = ("string constructor = 1;", "int64 seq = 1;")

    @property
    def path(self):
        return [self.tools / "node_modules/.bin"]

    def require(self):
        require(["node", "--version"], "20")
        require(["npm", "--version"], "9")

    def install(self, target):
        for pin in self.pins:
            shutil.copy(self.folder / pin, target)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], target)

    def compile(self, contract, project):
        folder = project / "typescript"
        shutil.copy(self.folder / "tsconfig.json", folder)
        shutil.copy(self.folder / "package.json", folder)
        os.symlink(self.tools / "node_modules", folder / "node_modules")
        (folder / "igpt/v1/all.ts").write_text("".join(f'export * from "./{file}_pb.js";\n' for file in contract.files))
        lines = ['import * as v1 from "./igpt/v1/all.js";', ""]
        lines += [line for message in contract.messages for line in write_message(message)]
        lines += [line for enum in contract.enums for line in write_enum(enum)]
        lines += [line for service in contract.services for line in write_service(service)]
        (folder / "contract.ts").write_text(HEAD + "\n".join(lines) + (CALL if contract.services else "") + TAIL)
        run(["tsc"], folder, self.path)
        run(["node", "js/contract.js"], folder)
