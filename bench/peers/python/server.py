"""A gRPC facade of the iGPT HTTP API: igpt.v1.RecallService, as a good engineer would write it in an afternoon."""

import argparse
import asyncio
import os
import signal
import sys

import grpc
import uvloop
from igpt.v1 import recall_pb2_grpc

from client import Client
from recall import RecallServicer

# How long calls may go on after SIGTERM.
DRAIN_SECONDS = 30


def write_port(path, port):
    """Writes the file in one step, so that nobody reads half of it."""
    temporary = path + ".tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(f"{port}\n")
    os.replace(temporary, path)


async def serve(flags, key):
    client = Client(flags.base_url, key, flags.ca_file)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    recall_pb2_grpc.add_RecallServiceServicer_to_server(RecallServicer(client), server)
    port = server.add_insecure_port(flags.listen)
    await server.start()
    if flags.port_file:
        write_port(flags.port_file, port)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.stop(DRAIN_SECONDS)
    await client.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:50051", help="serve gRPC on this address; port 0 picks one")
    parser.add_argument("--port_file", help="write the port to this file")
    parser.add_argument("--base_url", default="https://api.igpt.ai/v1", help="URL of the iGPT API")
    parser.add_argument("--ca_file", help="trust the certificates of this PEM file instead of the system's")
    flags = parser.parse_args()
    key = os.environ.get("IGPT_API_KEY")
    if not key:
        sys.exit("IGPT_API_KEY is not set")
    uvloop.run(serve(flags, key))


if __name__ == "__main__":
    main()
