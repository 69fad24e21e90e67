"""Go: protoc-gen-go and protoc-gen-go-grpc."""

import shutil

from languages.language import Language
from names import upper_camel
from page import block
from tools import require, run

MODULE = "github.com/igptd/igptd/sdk/grpc/go"
TYPES = {"bool": "bool", "bytes": "[]byte", "double": "float64", "float": "float32", "int32": "int32",
         "int64": "int64", "string": "string", "uint32": "uint32", "uint64": "uint64"}
GOOGLE = {"google.protobuf.Duration": "durationpb.Duration", "google.protobuf.Timestamp": "timestamppb.Timestamp"}
ENV = {"GOFLAGS": "-mod=readonly", "GOWORK": "off"}

HEAD = f"""package contract

import (
	"context"

	igptv1 "{MODULE}/igpt/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var _ context.Context
var _ *durationpb.Duration
var _ *timestamppb.Timestamp

func connect(address string) (*grpc.ClientConn, error) {{
{block("go limit")}
	return connection, err
}}
"""


def type_of(field):
    """The type of the field's getter."""
    if field.kind == "message":
        type_ = "*" + GOOGLE.get(field.type, f"igptv1.{field.type}")
    else:
        type_ = f"igptv1.{field.type}" if field.kind == "enum" else TYPES[field.kind]
    return f"[]{type_}" if field.repeated else type_


def write_message(message):
    lines = [f"func _(m *igptv1.{message.name}) {{"]
    lines += [f"\tvar _ {type_of(field)} = m.Get{upper_camel(field.name)}()" for field in message.fields]
    lines += [f"\tvar _ *{type_of(field)} = m.{upper_camel(field.name)}" for field in message.fields if field.optional]
    lines += [f"\tm.{upper_camel(field.name)} = (&igptv1.{message.name}{{}}).{upper_camel(field.name)}"
              for field in message.plain_fields]
    for oneof, arms in message.oneofs.items():
        lines.append(f"\tswitch arm := m.Get{upper_camel(oneof)}().(type) {{")
        for arm in arms:
            lines += [f"\tcase *igptv1.{message.name}_{upper_camel(arm.name)}:",
                      f"\t\tvar _ {type_of(arm)} = arm.{upper_camel(arm.name)}",
                      f"\t\tm.{upper_camel(oneof)} = arm"]
        lines.append("\t}")
    return lines + ["}", ""]


def write_enum(enum):
    return [f"var _ igptv1.{enum.name} = igptv1.{enum.name}_{value}" for value in enum.values] + [""]


def write_service(service):
    lines = [f"func _(client igptv1.{service.name}Client) {{"]
    for method in service.methods:
        response = f"igptv1.{method.response}"
        result = f"grpc.ServerStreamingClient[{response}]" if method.streams else f"*{response}"
        lines.append(f"\tvar _ func(context.Context, *igptv1.{method.request}, ...grpc.CallOption) ({result}, error) = "
                     f"client.{method.name}")
    return lines + ["}", "", f"var _ = igptv1.New{service.name}Client", f"var _ = igptv1.Register{service.name}Server",
                    ""]


class Go(Language):
    name = "go"
    pins = ("go.mod", "go.sum")
    mistakes = ("string reset = 1;",)

    def require(self):
        require(["go", "version"], "1.21")  # the first that fetches the version in go.mod

    def install(self, target):
        env = {**ENV, "GOBIN": str(target / "bin")}
        run(["go", "mod", "download"], self.folder, env=env)
        run(["go", "install", "tool"], self.folder, env=env)

    def compile(self, contract, project):
        module = project / "go"
        for pin in self.pins:
            shutil.copy(self.folder / pin, module)
        lines = [line for message in contract.messages for line in write_message(message)]
        lines += [line for enum in contract.enums for line in write_enum(enum)]
        lines += [line for service in contract.services for line in write_service(service)]
        (module / "contract").mkdir()
        (module / "contract/contract.go").write_text(HEAD + "\n".join(lines))
        run(["go", "build", "./..."], module, env=ENV)
