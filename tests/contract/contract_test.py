"""Clients can be generated from proto/: in each language, a program compiles that uses all that the contract declares.

    contract_test.py install <language>           installs the pinned tools
    contract_test.py check <language> <directory> generates, compiles and checks in this directory
"""

import os
import pathlib
import re
import shutil
import sys

import page
import tools
from contract import read_contract
from languages import cpp, go, java, python, rust, typescript

LANGUAGES = {language.name: language for language in (
    cpp.Cpp(), go.Go(), java.Java(), python.Python(), rust.Rust(), typescript.TypeScript())}
SKIPPED = 77  # for ctest

MISTAKE = """syntax = "proto3";
package igpt.v1;
message Mistake {
  %s
}
"""


def check(language, work):
    language.require()
    language.tools = tools.installed(language)
    buf = tools.installed(LANGUAGES["python"]) / "bin/buf"
    contract = read_contract(buf, tools.ROOT / "proto")
    if language.has_buf:
        project = fresh(work / "buf")
        os.symlink(tools.ROOT, project / "igptd")
        generate_with_buf(buf, language, project)
        language.compile(contract, project)
    project = fresh(work / "protoc")
    os.symlink(tools.ROOT, project / "igptd")
    generate_with_protoc(language, project)
    language.compile_protoc(contract, project)
    for mistake in language.mistakes:
        check_mistake(buf, language, mistake, fresh(work / "mistake"))


def check_mistake(buf, language, mistake, project):
    """The test can fail: it reports a proto with this field."""
    protos = project / "igptd/proto/igpt/v1"
    protos.mkdir(parents=True)
    (protos / "mistake.proto").write_text(MISTAKE % mistake)
    shutil.copy(tools.ROOT / "buf.yaml", project / "igptd")
    if language.has_buf:
        generate_with_buf(buf, language, project)
    else:
        generate_with_protoc(language, project)
    try:
        language.compile(read_contract(buf, project / "igptd"), project)
    except tools.Failed as failed:
        name = mistake.split()[1].replace("_", "")
        if name in failed.output.replace("_", "").lower():
            return
        raise
    raise tools.Failed(f"the test doesn't notice the mistake `{mistake}`")


def generate_with_protoc(language, project):
    """As docs/clients.md says."""
    tools.run(["bash", "-euc", page.block(f"sh protoc {language.name}")], project, language.path)


def generate_with_buf(buf, language, project):
    """As docs/clients.md says, with a copy of buf.gen.yaml that has only the plugins of the language."""
    head, *plugins = re.split(r"^(?=  - (?:local|protoc_builtin):)", (tools.ROOT / "buf.gen.yaml").read_text(),
                              flags=re.MULTILINE)
    mine = [plugin for plugin in plugins if f"    out: {language.name}\n" in plugin]
    (project / "buf.gen.yaml").write_text(head + "".join(mine))
    tools.run(["bash", "-euc", page.block("sh buf")], project, [*language.path, buf.parent])


def fresh(directory):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def main():
    task, language = sys.argv[1], LANGUAGES[sys.argv[2]]
    try:
        if task == "install":
            tools.install(language)
        else:
            check(language, pathlib.Path(sys.argv[3]).resolve())
    except tools.Unavailable as missing:
        in_ci = bool(os.environ.get("CI"))
        print(f"contract_test: {language.name}{'' if in_ci else ' skipped'}: {missing}")
        return 1 if in_ci else SKIPPED
    except tools.Failed as failed:
        print(f"contract_test: {language.name}: {failed}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
