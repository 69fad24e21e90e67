"""Java: protoc, protoc-gen-grpc-java and javac."""

import platform
import shutil
import zipfile

from languages.language import Language
from names import lower_camel, upper_camel
from page import block
from tools import require, run

PACKAGE = "io.github.igptd.v1"
TYPES = {"bool": "boolean", "bytes": "com.google.protobuf.ByteString", "double": "double", "float": "float",
         "int32": "int", "int64": "long", "string": "String", "uint32": "int", "uint64": "long"}
BOXED = {"boolean": "Boolean", "double": "Double", "float": "Float", "int": "Integer", "long": "Long"}


def class_of(type_):
    """Of a message or an enum."""
    if type_.startswith("google.protobuf."):
        return "com." + type_
    return f"{PACKAGE}.{type_}"


def type_of(field):
    type_ = class_of(field.type) if field.type else TYPES[field.kind]
    return f"java.util.List<{BOXED.get(type_, type_)}>" if field.repeated else type_


def write_message(message):
    class_ = class_of(message.name)
    lines = [f"  static void use(final {class_} m) {{", f"    final {class_}.Builder builder = {class_}.newBuilder();"]
    for field in message.fields:
        name = upper_camel(field.name)
        getter = f"get{name}List" if field.repeated else f"get{name}"
        lines += [f"    final {type_of(field)} {lower_camel(field.name)}_ = m.{getter}();",
                  f"    builder.{'addAll' if field.repeated else 'set'}{name}({lower_camel(field.name)}_);"]
        if field.optional or field.oneof or field.kind == "message" and not field.repeated:
            lines.append(f"    final boolean has{name} = m.has{name}();")
    for oneof, arms in message.oneofs.items():
        lines.append(f"    switch (m.get{upper_camel(oneof)}Case()) {{")
        lines += [f"      case {arm.name.upper()}:" for arm in arms]
        lines += [f"      case {oneof.replace('_', '').upper()}_NOT_SET:", "        break;", "    }"]
    return lines + ["  }"]


def write_enum(enum):
    return [f"  static final {class_of(enum.name)} {value} = {class_of(enum.name)}.{value};" for value in enum.values]


def write_service(service):
    grpc = f"{PACKAGE}.{service.name}Grpc"
    lines = [f"  static void use{service.name}(final Channel channel) {{",
             f"    final {grpc}.{service.name}BlockingStub blocking = {grpc}.newBlockingStub(channel);",
             f"    final {grpc}.{service.name}Stub stub = {grpc}.newStub(channel);"]
    for method in service.methods:
        name, request, response = lower_camel(method.name), class_of(method.request), class_of(method.response)
        result = f"java.util.Iterator<{response}>" if method.streams else response
        lines += [f"    final {result} {name}_ = blocking.{name}({request}.getDefaultInstance());",
                  f"    final io.grpc.stub.StreamObserver<{response}> {name}Observer = null;",
                  f"    stub.{name}({request}.getDefaultInstance(), {name}Observer);"]
    return lines + ["  }"]


def write_file(file):
    name = upper_camel(file)
    return [f"  static final com.google.protobuf.Descriptors.FileDescriptor {name} =",
            f"      {PACKAGE}.{name}Proto.getDescriptor();"]


class Java(Language):
    name = "java"
    pins = ("pom.xml",)
    mistakes = ("string serialized_size = 1;",)

    def require(self):
        require(["javac", "--version"], "17")
        require(["mvn", "--batch-mode", "--version"], "3.6")

    def install(self, target):
        machine = {"x86_64": "x86_64", "aarch64": "aarch_64"}.get(platform.machine(), platform.machine())
        run(["mvn", "--batch-mode", "--quiet", f"-Dplatform=linux-{machine}", "dependency:copy-dependencies",
             f"-DoutputDirectory={target}/jars", "-Dmdep.stripVersion", "-f", self.folder / "pom.xml"], target)
        (target / "bin").mkdir()
        for program in ("protoc", "protoc-gen-grpc-java"):
            shutil.move(target / f"jars/{program}-linux-{machine}.exe", target / "bin" / program)
            (target / "bin" / program).chmod(0o755)
        # As in protoc's own archive: it looks for google/protobuf/*.proto beside its folder.
        with zipfile.ZipFile(target / "jars/protobuf-java.jar") as jar:
            jar.extractall(target / "include", [name for name in jar.namelist() if name.endswith(".proto")])

    def compile(self, contract, project):
        lines = [line for message in contract.messages for line in write_message(message)]
        lines += [line for enum in contract.enums for line in write_enum(enum)]
        lines += [line for service in contract.services for line in write_service(service)]
        lines += [line for file in contract.files for line in write_file(file)]
        limit = block("java limit").replace("\n", "\n    ")
        (project / "java/Contract.java").write_text(
            "import io.grpc.Channel;\nimport io.grpc.Grpc;\nimport io.grpc.InsecureChannelCredentials;\n"
            "import io.grpc.ManagedChannel;\n\nfinal class Contract {\n"
            f"  static ManagedChannel connect(final String address) {{\n    {limit}return channel;\n  }}\n\n"
            + "\n".join(lines) + "\n}\n")
        self._javac(project)

    def compile_protoc(self, contract, project):
        """The classes have other names, so only what was generated is compiled."""
        self._javac(project)

    def _javac(self, project):
        sources = sorted(str(path) for path in (project / "java").rglob("*.java"))
        (project / "sources").write_text("\n".join(sources))
        run(["javac", "-proc:none", "-Xlint:all", "-Xlint:-processing", "-cp", f"{self.tools}/jars/*", "-d", "classes",
             "@sources"], project)
