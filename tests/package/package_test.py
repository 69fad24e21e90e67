#!/usr/bin/env python3
"""The SDK as others get it: installed or as sources, static or shared, with their compiler, standard and options.

    package_test.py --build=BUILD_TREE --work=DIRECTORY --flags=CXX_FLAGS CLASS

BUILD_TREE is this repository's own. The flags are those that a program needs to link with it.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SDK = ROOT / "sdk/cpp"
CONSUMER = ROOT / "tests/package/consumer"
VERSION = (SDK / "version.txt").read_text().strip()
def headers(directory):
    """What its users include, of these sources."""
    return sorted(str(header.relative_to(directory)).removesuffix(".in") for header in (directory / "igpt").rglob("*.h*")
                  if "internal" not in header.parts)


# By the component that brings them.
HEADERS = {
    "sdk": [header for header in headers(SDK) if not header.startswith("igpt/testing/")],
    "testing": [header for header in headers(SDK) if header.startswith("igpt/testing/")],
    "sandbox": headers(ROOT / "service/sandbox/include"),
}
WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fno-exceptions -fno-rtti".split()
CONAN = "2.34.0"
LAUNCHER = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []

options = argparse.Namespace()


def run(*command, fails=False, **more):
    """What the command prints."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if (done.returncode != 0) != fails:
        raise AssertionError(f"{' '.join(map(str, command))} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout


def one_line(text):
    """CMake wraps its messages."""
    return " ".join(text.split())


def configure(source, build, *variables, **more):
    return run("cmake", "-G", "Ninja", "-S", source, "-B", build, *(f"-D{variable}" for variable in variables), *LAUNCHER,
               "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", **more)


def compilers():
    """g++, and clang++ if it is there. In CI it must be."""
    if not shutil.which("clang++") and not os.environ.get("CI"):
        return ["g++"]
    return ["g++", "clang++"]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = options.work / cls.__name__
        shutil.rmtree(cls.work, ignore_errors=True)
        cls.work.mkdir(parents=True)

    def says_version(self, program, **more):
        self.assertEqual(run(program, **more).strip(), VERSION)

    def check_programs(self, build, *components):
        """Those of the consumer, once they are built: one for igpt::sdk, and one for each component."""
        self.says_version(build / "consumer")
        if "testing" in components:
            self.assertEqual(run(build / "with_testing"), "We will.\n")
        if "sandbox" in components:
            self.assertRegex(run(build / "with_sandbox"), "^Sandbox answer from a built-in mailbox\\. ")


def asking_for(*components):
    """The consumer's variables for these components and igpt::sdk."""
    public = [header for component in ("sdk", *components) for header in HEADERS[component]]
    return f"COMPONENTS={';'.join(components)}", f"PUBLIC_HEADERS={';'.join(public)}"


class Installed(Case):
    """Tests of an installed package in cls.prefix."""

    def consume(self, name, *variables, **more):
        return configure(CONSUMER, self.work / name, "WAY=find_package", f"CMAKE_PREFIX_PATH={self.prefix}",
                         *asking_for(), *variables, **more)

    def by_find_package(self, compiler, standard, *components, flags=""):
        build = self.work / f"{compiler}-{standard}"
        self.consume(build.name, f"CMAKE_CXX_COMPILER={compiler}", f"STANDARD={standard}", f"CMAKE_CXX_FLAGS={flags}",
                     *asking_for(*components))
        run("cmake", "--build", build)
        self.check_programs(build, *components)
        return build

    def check_package_files(self, prefix, foreign):
        for file in (*prefix.rglob("*.cmake"), *prefix.rglob("*.pc")):
            self.assertNotRegex(file.read_text().lower(), foreign, file)
            self.assertNotIn(str(ROOT), file.read_text(), f"{file} names this machine's directories")

    def by_pkg_config(self, flags):
        directory = next(self.prefix.glob("**/pkgconfig"))
        environment = {**os.environ, "PKG_CONFIG_PATH": str(directory)}
        self.assertEqual(run("pkg-config", "--modversion", "igpt", env=environment).strip(), VERSION)
        used = run("pkg-config", "--cflags", "--libs", "igpt", env=environment).split()
        program = self.work / "by_pkg_config"
        run("g++", "-std=c++20", *flags, *WARNINGS, CONSUMER / "main.cc", "-o", program, *used)
        self.says_version(program, env={**environment, "LD_LIBRARY_PATH": str(directory.parent)})


class StaticPackage(Installed):
    """The static library, as this repository's own build installs it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.work / "prefix"
        run("cmake", "--install", options.build, "--prefix", cls.prefix, "--component", "sdk")

    def test_find_package(self):
        build = self.by_find_package("g++", 20, flags=options.flags)
        self.assertNotRegex(run("ldd", build / "consumer").lower(), "grpc|protobuf")

    def test_other_compilers_and_standards(self):
        if "-fsanitize" in options.flags:
            self.skipTest("a sanitizer's library is of the compiler that built it")
        for compiler in compilers():
            for standard in (20, 23):
                if (compiler, standard) != ("g++", 20):
                    with self.subTest(compiler=compiler, standard=standard):
                        self.by_find_package(compiler, standard)

    def test_pkg_config(self):
        self.by_pkg_config(options.flags.split())

    def test_what_is_installed(self):
        installed = sorted(str(path.relative_to(self.prefix / "include")) for path in (self.prefix / "include").rglob("*.h"))
        self.assertEqual(installed, HEADERS["sdk"])
        self.check_package_files(self.prefix, "grpc|protobuf")

    def test_an_unknown_component(self):
        for component in ("telepathy", "testing", "sandbox"):  # the last two are not installed here
            with self.subTest(component=component):
                said = self.consume(f"without_{component}", f"COMPONENTS={component}", fails=True)
                self.assertIn(f'igpt {VERSION} has no component "{component}" in {self.prefix}', one_line(said))
                self.assertIn("There can be sdk, testing and sandbox; igpt's own build adds one that is missing: "
                              "cmake --install <build> --component <name>.", one_line(said))

    def test_dependencies_are_missing_or_too_old(self):
        for package, minimum, debian in (("CURL", "7.85", "libcurl4-openssl-dev"), ("absl", "20220623", "libabsl-dev"),
                                         ("simdjson", "3.0", "libsimdjson-dev")):
            with self.subTest(package=package):
                self.check_dependency(self.consume, package, minimum, debian)

    def check_dependency(self, configured, package, minimum, debian):
        """With this package missing, or old, `configured` fails with a sentence."""
        sentence = (rf"igpt::sdk needs the package {package}, version {re.escape(minimum)} or newer, but (.*)\. Install it "
                    rf"\(on Debian and Ubuntu: apt install {debian}\), or say in CMAKE_PREFIX_PATH where it is\.")
        said = configured(f"without_{package}", f"CMAKE_DISABLE_FIND_PACKAGE_{package}=ON", fails=True)
        self.assertEqual(re.search(sentence, one_line(said))[1], "there is none that CMake finds")

        old = self.work / f"old_{package}"
        old.mkdir()
        (old / f"{package}Config.cmake").write_text("")
        (old / f"{package}ConfigVersion.cmake").write_text('set(PACKAGE_VERSION 1.2)\n')
        said = configured(f"with_old_{package}", f"{package}_DIR={old}", fails=True)
        self.assertEqual(re.search(sentence, one_line(said))[1], "CMake found 1.2")


class Components(Installed):
    """What is installed beside igpt::sdk for the tests of programs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.work / "prefix"
        for component in HEADERS:
            run("cmake", "--install", options.build, "--prefix", cls.prefix, "--component", component)

    def test_find_package(self):
        build = self.by_find_package("g++", 20, "testing", "sandbox", flags=options.flags)
        for program in ("with_testing", "with_sandbox"):
            self.assertNotRegex(run("ldd", build / program).lower(), "grpc|protobuf|boost")

    def test_other_compilers_and_standards(self):
        if "-fsanitize" in options.flags:
            self.skipTest("a sanitizer's library is of the compiler that built it")
        for compiler in compilers():
            with self.subTest(compiler=compiler):
                self.by_find_package(compiler, 23, "testing", "sandbox")

    def test_every_header_stands_alone(self):
        commands = [[compiler, "-std=c++20", "-fsyntax-only", *WARNINGS, "-include", header, f"-I{self.prefix}/include",
                     "-x", "c++", "/dev/null"]
                    for compiler in compilers() for component in HEADERS.values() for header in component]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda command: run(*command), commands))

    def test_what_is_installed(self):
        # The SDK is the package; a component only adds to it.
        for component, libraries in (("testing", ["libigpt_testing.a"]),
                                     ("sandbox", ["libigpt_sandbox.a", "libigpt_sandbox_http.a", "libigpt_sandbox_system.a"])):
            with self.subTest(component=component):
                alone = self.work / component
                run("cmake", "--install", options.build, "--prefix", alone, "--component", component)
                files = [path.relative_to(alone) for path in alone.rglob("*") if path.is_file()]
                self.assertEqual(sorted(str(path.relative_to("include")) for path in files if path.suffix == ".h"),
                                 HEADERS[component])
                self.assertEqual(sorted(path.name for path in files if path.suffix == ".a"), libraries)
                others = [path for path in files if path.suffix not in (".h", ".a")]
                self.assertTrue(others)
                for path in others:
                    self.assertRegex(str(path), rf"/cmake/igpt/igpt_{component}(-[a-z]+)?\.cmake$")
                self.check_package_files(alone, "grpc|protobuf|boost|nlohmann|spdlog")

    def test_the_sandbox_needs_no_sdk(self):
        [targets] = self.prefix.rglob("igpt_sandbox.cmake")
        self.assertNotIn("igpt::sdk", targets.read_text())


class Sources(Case):
    """The SDK's own build, alone and in other projects."""

    def embed(self, name, *variables):
        """Configures the consumer with the sources in it."""
        configure(CONSUMER, self.work / name, *variables, "CMAKE_CXX_FLAGS=-O0", *asking_for("testing"))
        return self.work / name

    def builds(self, build):
        run("cmake", "--build", build)
        self.check_programs(build, "testing")
        # What others install is theirs.
        run("cmake", "--install", build, "--prefix", build / "prefix")
        self.assertEqual([path.name for path in (build / "prefix").rglob("*") if path.is_file()], ["consumer"])

    def compiles_the_sdk_alone(self, build):
        """… and whatever a newer compiler warns of, it is no error."""
        for command in json.loads((build / "compile_commands.json").read_text()):
            if not command["file"].startswith((str(CONSUMER), str(build))):
                self.assertIn(str(SDK), command["file"])
                self.assertNotIn("-Werror", command["command"])

    def test_fetch_content(self):
        self.builds(self.embed("fetch_content", "WAY=FetchContent", f"IGPT_SOURCE={ROOT}", "STANDARD=23",
                               "BUILD_SHARED_LIBS=ON"))

    def test_add_subdirectory(self):
        build = self.embed("add_subdirectory", "WAY=add_subdirectory", f"IGPT_SOURCE={SDK}")
        self.compiles_the_sdk_alone(build)
        self.builds(build)
        # … unless they ask for the SDK's package, too.
        run("cmake", "-DIGPT_INSTALL=ON", build)
        run("cmake", "--install", build, "--prefix", build / "with_sdk")
        self.assertTrue((build / "with_sdk/include/igpt/version.h").exists())
        self.assertTrue(list((build / "with_sdk").glob("lib/**/cmake/igpt/igptConfig.cmake")))

    def test_add_subdirectory_of_the_whole_repository(self):
        self.compiles_the_sdk_alone(self.embed("repository", "WAY=add_subdirectory", f"IGPT_SOURCE={ROOT}"))

    def test_the_port_for_vcpkg_has_the_version(self):
        self.assertEqual(json.loads((SDK / "vcpkg/igpt/vcpkg.json").read_text())["version"], VERSION)

    def test_alone(self):
        self.configure_sdk("alone")
        self.compiles_the_sdk_alone(self.work / "alone")

    def configure_sdk(self, name, *variables, **more):
        return configure(SDK, self.work / name, *variables, **more)

    def test_dependencies_are_missing_or_too_old(self):
        for package, minimum, debian in (("CURL", "7.85", "libcurl4-openssl-dev"), ("absl", "20220623", "libabsl-dev"),
                                         ("nlohmann_json", "3.11", "nlohmann-json3-dev"),
                                         ("simdjson", "3.0", "libsimdjson-dev")):
            with self.subTest(package=package):
                StaticPackage.check_dependency(self, self.configure_sdk, package, minimum, debian)


class SharedPackage(Installed):
    """The shared library, as the SDK's own build makes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefix = cls.work / "prefix"
        cls.sdk = cls.work / "sdk"
        configure(SDK, cls.sdk, "BUILD_SHARED_LIBS=ON", "CMAKE_CXX_FLAGS=-O0", "CMAKE_INSTALL_LIBDIR=lib",
                  f"CMAKE_INSTALL_PREFIX={cls.prefix}")
        run("cmake", "--build", cls.sdk)
        run("cmake", "--install", cls.sdk)
        cls.library = cls.prefix / "lib" / f"libigpt.so.{VERSION}"

    def test_find_package(self):
        for compiler in compilers():
            with self.subTest(compiler=compiler):
                self.by_find_package(compiler, 20, "testing")

    def test_pkg_config(self):
        self.by_pkg_config([])

    def test_asks_users_for_no_library_that_its_headers_do_not_need(self):
        # A machine without the packages of libcurl and simdjson.
        self.consume("lean", "CMAKE_DISABLE_FIND_PACKAGE_CURL=ON", "CMAKE_DISABLE_FIND_PACKAGE_simdjson=ON")
        self.assertNotRegex((self.prefix / "lib/pkgconfig/igpt.pc").read_text(), "curl|simdjson")

    def test_soname(self):
        # No version promises another's binary interface.
        self.assertIn(f"[libigpt.so.{VERSION}]", run("readelf", "-d", self.library))

    def test_exports_what_is_public_and_nothing_else(self):
        objects = list((self.sdk / "CMakeFiles/igpt_sdk.dir").rglob("*.o"))
        defined = symbols("--extern-only", *objects)
        public = {name for name in defined if is_public(name)}
        exported = symbols("--dynamic", self.library)
        self.assertIn("igpt::sdk_v1::Client::Create", "\n".join(public))
        self.assertEqual(sorted(public - exported), [], "is public and not exported")
        self.assertEqual(sorted(exported - public), [], "is exported and not public")


class ConanPackage(Case):
    """The Conan recipe. The packages that it requires are Debian's, not Conan's own."""

    PROFILE = """
[settings]
os=Linux
arch=x86_64
compiler=gcc
compiler.version={gcc}
compiler.libcxx=libstdc++11
compiler.cppstd=20
build_type=Release
[platform_requires]
{libraries}
[conf]
tools.cmake.cmaketoolchain:generator=Ninja
tools.build:cxxflags=["-O0"]
"""
    LIBRARIES = {"abseil": "absl_base", "libcurl": "libcurl", "nlohmann_json": "nlohmann_json", "simdjson": "simdjson"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.conan = options.work / f"conan-{CONAN}/bin/conan"
        if not cls.conan.exists():
            try:
                run(sys.executable, "-m", "venv", cls.conan.parents[1])
                run(cls.conan.with_name("pip"), "install", "--quiet", "--disable-pip-version-check", f"conan=={CONAN}")
            except AssertionError as error:
                if os.environ.get("CI"):
                    raise
                raise unittest.SkipTest(f"no Conan from PyPI: {error}")

    def test_create_and_use(self):
        profile = self.work / "profile"
        versions = {name: run("pkg-config", "--modversion", module).strip() for name, module in self.LIBRARIES.items()}
        profile.write_text(self.PROFILE.format(
            gcc=run("g++", "-dumpversion").split(".")[0].strip(),
            libraries="\n".join(f"{name}/{version}" for name, version in versions.items())))
        environment = {**os.environ, "CONAN_HOME": str(self.work / "home"), "CMAKE_CXX_COMPILER_LAUNCHER": "ccache",
                       "CCACHE_BASEDIR": str(self.work)}  # Conan's directories have a new name each time
        if not LAUNCHER:
            del environment["CMAKE_CXX_COMPILER_LAUNCHER"]
        common = ["--profile:all", profile, "--no-remote"]
        run(self.conan, "create", SDK, *common, env=environment)
        run(self.conan, "install", f"--requires=igpt/{VERSION}", *common, "--generator=CMakeToolchain", "--build=never",
            f"--output-folder={self.work}", env=environment, cwd=self.work)
        configure(CONSUMER, self.work / "consumer", "WAY=find_package", "CMAKE_BUILD_TYPE=Release",
                  f"CMAKE_TOOLCHAIN_FILE={self.work}/conan_toolchain.cmake", *asking_for("testing"))
        run("cmake", "--build", self.work / "consumer")
        self.check_programs(self.work / "consumer", "testing")


def symbols(*arguments):
    lines = run("nm", "--defined-only", "--demangle", "--format=posix", *arguments).splitlines()
    return {match[1] for line in lines if (match := re.match(r"(.*) [A-Za-z] [0-9a-f]+ [0-9a-f]*$", line))}


def is_public(name):
    """It, its vtable or the like is in the namespace of the interface or in igpt::unstable, and in no other within that. So
    is ClientRef, which the public classes hold."""
    return re.match(r"igpt::internal::ClientRef::|"
                    r"((vtable|VTT|typeinfo|typeinfo name|guard variable) for |(non-)?virtual thunk to )?"
                    r"igpt::(sdk_v\d+|unstable)::(?![a-z_]+::|\(anonymous)", name) is not None



if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--flags", default="")
    parser.add_argument("tests", nargs="+")
    options = parser.parse_args()
    unittest.main(argv=[sys.argv[0], *options.tests], verbosity=2)
