"""The Conan 2 recipe of igpt::sdk: `conan create sdk/cpp`, and `requires("igpt/<version>")` in a program's recipe."""

import os

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import load


class IgptConan(ConanFile):
    name = "igpt"
    description = "A C++ client for the iGPT API"
    license = "MIT"
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}
    exports = "version.txt"
    exports_sources = "CMakeLists.txt", "version.txt", "cmake/*", "igpt/*"

    def set_version(self):
        self.version = load(self, os.path.join(self.recipe_folder, "version.txt")).strip()

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        # cmake/igptDependencies.cmake says from which versions on.
        self.requires("abseil/[>=20220623]", transitive_headers=True, transitive_libs=True)
        self.requires("libcurl/[>=7.85 <9]")
        self.requires("nlohmann_json/[>=3.11 <4]")
        self.requires("simdjson/[>=3.0 <5]")

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.user_presets_path = False  # no file among the sources
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # Programs find the package's own igptConfig.cmake and igpt.pc.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/igpt"]
        self.cpp_info.libs = ["igpt"]
