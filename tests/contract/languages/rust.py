"""Rust: protoc-gen-prost and protoc-gen-tonic."""

import shutil

from languages.language import Language
from names import snake, upper_camel, without_prefix
from page import block
from tools import require, run

TYPES = {"bool": "bool", "bytes": "Vec<u8>", "double": "f64", "enum": "i32", "float": "f32", "int32": "i32",
         "int64": "i64", "string": "String", "uint32": "u32", "uint64": "u64"}
GOOGLE = {"google.protobuf.Duration": "prost_types::Duration", "google.protobuf.Timestamp": "prost_types::Timestamp"}
KEYWORDS = {"as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false",
            "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
            "self", "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "where", "while"}

HEAD = f"""#![allow(clippy::all)]

pub mod v1 {{
    include!("igpt/v1/igpt.v1.rs");
}}
"""
CONNECT = f"""
pub async fn connect(
    address: String,
) -> Result<v1::recall_service_client::RecallServiceClient<tonic::transport::Channel>, tonic::transport::Error> {{
    use v1::recall_service_client::RecallServiceClient;
    {block("rust limit")}    Ok(client)
}}
"""


def identifier(name):
    return f"r#{name}" if name in KEYWORDS else name


def base_type(field):
    if field.kind == "message":
        return GOOGLE.get(field.type) or f"v1::{field.type}"
    return TYPES[field.kind]


def type_of(field):
    if field.repeated:
        return f"Vec<{base_type(field)}>"
    return f"Option<{base_type(field)}>" if field.optional or field.kind == "message" else base_type(field)


def write_message(message):
    # Without `..`, the pattern has to name every field.
    types = {field.name: type_of(field) for field in message.plain_fields}
    types |= {oneof: f"Option<v1::{snake(message.name)}::{upper_camel(oneof)}>" for oneof in message.oneofs}
    names = ", ".join(f"{identifier(name)}: {name}_" for name in types)
    lines = [f"pub fn {snake(message.name)}(m: v1::{message.name}) {{", f"    let v1::{message.name} {{ {names} }} = m;"]
    lines += [f"    let _: {type_} = {name}_;" for name, type_ in types.items() if name not in message.oneofs]
    for oneof, arms in message.oneofs.items():
        enum = f"v1::{snake(message.name)}::{upper_camel(oneof)}"
        lines.append(f"    match {oneof}_ {{")
        lines += [f"        Some({enum}::{upper_camel(arm.name)}(arm)) => {{ let _: {base_type(arm)} = arm; }}"
                  for arm in arms]
        lines += ["        None => {}", "    }"]
    return lines + ["}"]


def write_enum(enum):
    lines = [f"pub fn {snake(enum.name)}(value: v1::{enum.name}) -> &'static str {{", "    match value {"]
    lines += [f'        v1::{enum.name}::{upper_camel(without_prefix(enum.name, value))} => "{value}",'
              for value in enum.values]
    return lines + ["    }", "}"]


def write_service(service):
    client = f"v1::{snake(service.name)}_client::{service.name}Client<tonic::transport::Channel>"
    lines = [f"pub async fn {snake(service.name)}(client: &mut {client}) {{"]
    for method in service.methods:
        response = f"v1::{method.response}"
        result = f"tonic::Streaming<{response}>" if method.streams else response
        lines.append(f"    let _: Result<tonic::Response<{result}>, tonic::Status> = "
                     f"client.{identifier(snake(method.name))}(v1::{method.request}::default()).await;")
    return lines + ["}"]


class Rust(Language):
    name = "rust"
    pins = ("Cargo.toml", "Cargo.lock", "plugins")
    mistakes = ("string self = 1;",)

    def require(self):
        require(["cargo", "--version"], "1.85")

    def install(self, target):
        plugins = (self.folder / "plugins").read_text().split()
        env = {"CARGO_TARGET_DIR": str(target / "target")}
        run(["cargo", "install", "--debug", "--locked", "--quiet", "--root", target, *plugins], self.folder, env=env)
        shutil.rmtree(target / "target")
        # Compiles the dependencies.
        self._write(target / "warm", "")
        run(["cargo", "check", "--locked", "--quiet"], target / "warm", env=env)

    def compile(self, contract, project):
        lines = [line for message in contract.messages for line in write_message(message)]
        lines += [line for enum in contract.enums for line in write_enum(enum)]
        lines += [line for service in contract.services for line in write_service(service)]
        self._write(project / "rust", HEAD + (CONNECT if contract.services else "") + "\n".join(lines) + "\n")
        run(["cargo", "check", "--locked", "--quiet"], project / "rust",
            env={"CARGO_TARGET_DIR": str(self.tools / "target")})

    def _write(self, crate, source):
        crate.mkdir(exist_ok=True)
        for pin in ("Cargo.toml", "Cargo.lock"):
            shutil.copy(self.folder / pin, crate)
        (crate / "lib.rs").write_text(source)
