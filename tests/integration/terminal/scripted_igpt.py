"""A stand-in for iGPT that says what a test wants."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ScriptedIgpt:
    """`answer(exchange)` is called for each request. Stopped by `add_cleanup`."""

    def __init__(self, add_cleanup, answer):
        outer = self

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.request_json = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.answer(self)

            def log_message(self, *_):
                pass

            def reply(self, status, body, **headers):
                text = json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def start_stream(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.sent = 0

            def send(self, kind, **fields):
                # Not ASCII alone: JSON may hold some control characters as they are.
                text = json.dumps({"type": kind, "seq": self.sent, **fields}, ensure_ascii=False)
                event = f"data: {text}\n\n".encode()
                self.sent += 1
                self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                self.wfile.flush()

            def delta(self, text):
                self.send("run.output_text.delta", delta=text)

            def end_stream(self):
                self.wfile.write(b"0\r\n\r\n")

            def await_close(self):
                """Returns when igptd has closed the connection."""
                self.close_connection = True
                while self.connection.recv(4096):
                    pass

        self.answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        add_cleanup(thread.join)
        add_cleanup(self._server.server_close)
        add_cleanup(self._server.shutdown)
