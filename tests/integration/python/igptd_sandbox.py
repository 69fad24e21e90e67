"""igptd with its sandbox, for tests. As a program: runs another Python test with IGPT_SANDBOX_URL set.

    igptd_sandbox.py <test.py>
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile


def start_igptd(add_cleanup, *flags, listen="127.0.0.1:0", upstream=None):
    """Starts igptd, with its sandbox or with the base URL of another stand-in for iGPT. Returns the process and the address
    that it serves gRPC on."""
    directory = tempfile.TemporaryDirectory()
    add_cleanup(directory.cleanup)
    log = f"{directory.name}/log"
    port_file = f"{directory.name}/port"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IGPT")}
    source = "--sandbox"
    if upstream:
        source = f"--igpt_base_url={upstream}"
        environment["IGPT_API_KEY"] = "ak:test"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [os.environ["IGPTD_BINARY"], source, f"--listen={listen}", f"--port_file={port_file}",
             "--admin_listen=127.0.0.1:0", "--drain_delay=0s", "--log_format=json", *flags],
            env=environment, stderr=output)
    add_cleanup(stop, process)
    while not os.path.exists(port_file):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            with open(log, encoding="utf-8") as text:
                raise RuntimeError("igptd ended at once: " + text.read())
    with open(port_file, encoding="utf-8") as text:
        port = int(text.read())
    process.sandbox_log = log
    return process, f"127.0.0.1:{port}"


def stop(process):
    process.terminate()
    code = process.wait(60)
    if code != 0:
        raise RuntimeError(f"igptd exited with {code}")


def sandbox_url(process):
    """The base URL of the sandbox, which igptd logs once it is serving."""
    while True:
        with open(process.sandbox_log, encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n") and "sandbox" in json.loads(line):
                    return json.loads(line)["sandbox"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
            raise RuntimeError("igptd ended before it logged the sandbox's URL")


def main():
    with contextlib.ExitStack() as cleanups:
        process, _ = start_igptd(cleanups.callback)
        environment = {**os.environ, "IGPT_SANDBOX_URL": sandbox_url(process)}
        return subprocess.call([sys.executable, *sys.argv[1:]], env=environment)


if __name__ == "__main__":
    sys.exit(main())
