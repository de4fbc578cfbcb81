"""A statwit server of our own on free ports, and a plain client for it. Standard library only."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.parse


class Recorder:
    """`with Recorder() as r:` starts one, `r.ask(…)` questions it; it is ended, and its folder removed, on the way out."""

    def __init__(self, *flags, **environment):
        self.flags, self.environment = flags, environment

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        command = [os.environ["STATWIT"], "serve", "--http-port", "0", "--dogstatsd-port", "0", "--log-level", "warning",
                   "--db", os.path.join(self.folder.name, "r.db"), *self.flags]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("STATWIT_", "DD_"))} | self.environment
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.tell_log()
        self.ready = json.loads(line)
        self.port = urllib.parse.urlsplit(self.ready["http"]).port
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect(("127.0.0.1", int(self.ready["env"]["DD_DOGSTATSD_PORT"])))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.udp.close()
        self.process.terminate()
        self.process.stdout.close()
        status = self.process.wait(60)
        self.tell_log()
        self.folder.cleanup()
        assert status == 0, f"serve ended with {status}"

    def tell_log(self):
        """But for warnings, except that packets were dropped: what failed beside it is run again (tests/support/again)."""
        self.log.seek(0)
        sys.stderr.writelines(line for line in self.log if "warning:" not in line or "way to the sockets" in line)
        self.log.close()

    def send(self, *lines):
        for line in lines:
            self.udp.send(line if isinstance(line, bytes) else line.encode())

    def raw(self, method, path, body=None, headers=None):
        """(status, headers, bytes) over the kept-alive connection. Without {"DD-API-KEY": None} it has a key, as clients have."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        headers = {"DD-API-KEY": "0" * 32, **(headers or {})}
        self.connection.request(method, path, body, {name: value for name, value in headers.items() if value is not None})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def ask(self, method, path, body=None, headers=None, status=200):
        """The JSON of an answer, whose status must be as expected."""
        got, _, text = self.raw(method, path, body, headers)
        assert got == status, f"{method} {path}: {got}, not {status}: {text[:300]}"
        return json.loads(text)

    def get(self, path, **args):
        query = urllib.parse.urlencode(args, doseq=True)
        return self.ask("GET", "/recorder/v1/" + path + ("?" + query if query else ""))

    def tcp(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return connection
