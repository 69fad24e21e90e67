"""C++: protoc and grpc_cpp_plugin. igptd itself is built from what they generate, so only the page is checked here."""

from languages.language import Language
from page import block
from tools import run


class Cpp(Language):
    name = "cpp"
    has_buf = False
    path = ()

    def compile(self, contract, project):
        includes = "".join(f'#include "igpt/v1/{file}.grpc.pb.h"\n' for file in contract.files)
        (project / "cpp/contract.cc").write_text(
            f"#include <grpcpp/grpcpp.h>\n#include <string>\n{includes}"
            f"std::shared_ptr<grpc::Channel> Connect(const std::string& address) {{\n{block('cpp limit')}"
            "return channel;\n}\n")
        run(["g++", "-std=c++20", "-fsyntax-only", "-Icpp", "cpp/contract.cc"], project)
