"""What the test needs to know of a language."""

import tools


class Language:
    name = ""
    pins = ()  # the files in the folder of this name that say which tools are installed
    has_buf = True  # whether buf.gen.yaml has its plugins
    mistakes = ()  # fields that the generator drops or renames
    tools = None  # the directory of the installed tools

    @property
    def path(self):
        """Directories for PATH."""
        return [self.tools / "bin"]

    @property
    def folder(self):
        """The folder of the pins."""
        return tools.HERE / self.name

    def require(self):
        """Raises tools.Unavailable if a compiler is missing or too old."""

    def install(self, target):
        """Installs the generators, and all that the compiler needs, into the directory."""

    def compile(self, contract, project):
        """Writes a program that uses all of the contract, and compiles it with the code that was generated in
        <project>/<name>."""
        raise NotImplementedError

    def compile_protoc(self, contract, project):
        """The same for code that was generated with protoc alone."""
        self.compile(contract, project)
