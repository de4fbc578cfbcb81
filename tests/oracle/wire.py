"""A real statwit and real sockets: starts it, sends the steps of a recording, asks. Standard library only."""

import gzip
import http.client
import json
import os
import socket
import struct
import subprocess
import tempfile
import urllib.parse
import zlib

import bodies
from claims import BEGINNING, FUTURE
from recording import NOW

CODINGS = {"": lambda b: b, "gzip": lambda b: gzip.compress(b, 1), "deflate": lambda b: zlib.compress(b, 1)}


def request_rest(step):
    """The rest of a request's head, and its body."""
    kind, body = bodies.body(step.way, step.items)
    body = CODINGS[step.coding](body)
    coding = f"Content-Encoding: {step.coding}\r\n" if step.coding else ""
    return f"Content-Type: {kind}\r\n{coding}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Broken(Exception):
    """The server did something that is no matter of verdicts."""


class Server:
    def __init__(self, memory):
        self.folder, self.memory, self.marks = tempfile.TemporaryDirectory(prefix="oracle"), memory, []
        self.start()

    def start(self):
        path, memory = self.folder.name, self.memory
        command = [os.environ.get("STATWIT_BIN", "build/statwit"), "serve", "--http-port", "0", "--dogstatsd-port", "0", "--quiet",
                   "--dogstatsd-socket", path + "/d.sock", "--dogstatsd-stream-socket", path + "/s.sock",
                   "--db", ":memory:" if memory else path + "/r.db"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("STATWIT_", "DD_"))}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        first = self.process.stdout.readline()
        if not first:
            raise Broken("statwit serve did not start")
        ready = json.loads(first)
        self.http = http.client.HTTPConnection("127.0.0.1", urllib.parse.urlsplit(ready["http"]).port, timeout=60)
        self.sessions = [("default", ready["dogstatsd"], ready["env"]["DD_API_KEY"])]
        self.sockets = {}

    def restart(self):
        """On the same file; the sessions are opened anew."""
        sessions = len(self.sessions)
        self.end()
        self.start()
        self.open_sessions(sessions)

    def end(self):
        self.http.close()
        for s in self.sockets.values():
            s.close()
        self.process.terminate()
        self.process.stdout.close()
        status = self.process.wait(60)
        if status:
            raise Broken(f"statwit serve ended with {status}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self.folder.cleanup()

    def call(self, method, path, body=None, headers=None):
        self.http.request(method, path, body, headers or {})
        answer = self.http.getresponse()
        return answer.status, answer.read()

    def ask(self, path, body=None):
        status, raw = self.call("POST", "/recorder/v1/" + path, json.dumps(body or {}), {"Content-Type": "application/json"})
        return status, json.loads(raw)

    def open_sessions(self, n):
        while len(self.sessions) < n:
            status, s = self.ask("sessions", {"name": f"s{len(self.sessions)}", "unix": True})
            if status != 201:
                raise Broken(f"no session: {status} {s}")
            self.sessions.append((s["name"], s["dogstatsd"], s["api_key"]))

    def socket_to(self, way, session):
        if (way, session) not in self.sockets:
            address = self.sessions[session][1][way]
            if way == "udp":
                host, port = address.rsplit(":", 1)
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.connect((host, int(port)))
            else:
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if way == "unixgram" else socket.SOCK_STREAM)
                s.connect(address)
            self.sockets[way, session] = s
        return self.sockets[way, session]

    def play(self, steps):
        """Sends steps in order."""
        made = [request_rest(step) if step.way in bodies.PATHS else None for step in steps]
        for step, body in zip(steps, made):
            self.send(step, body)

    def send(self, step, body):
        if step.way == "mark":
            self.marks.append(self.ask("marks")[1]["mark"])
            return
        if step.way == "restart":
            self.restart()
            return
        if step.wait:
            self.ask("marks")  # a question: what was sent before it is in the recording now
        if step.way in bodies.PATHS:
            self.post(step, body)
        else:
            datagram = b"\n".join(item.sent for item in step.items).replace(NOW.encode(), b"%d" % bodies.now())
            s = self.socket_to(step.way, step.session)
            s.sendall(struct.pack("<I", len(datagram)) + datagram if step.way == "unixstream" else datagram)

    def post(self, step, body):
        """Head and body at once, made before: the request then comes right after the datagrams before it."""
        key = self.sessions[step.session][2]
        if not self.http.sock:
            self.http.connect()
        head = f"POST {bodies.PATHS[step.way]} HTTP/1.1\r\nHost: localhost\r\nDD-API-KEY: {key}\r\n"
        self.http.sock.sendall(head.encode() + body)
        answer = http.client.HTTPResponse(self.http.sock, method="POST")
        answer.begin()
        text = answer.read()
        if answer.status != 202:
            raise Broken(f"{step.way} answered {answer.status}: {text[:300]}")

    def expect(self, texts, session, mark=None, prefix="", ignored=()):
        request = {"expect": texts, "session": "*" if session is None else self.sessions[session][0]}
        if mark is not None:
            request["since"] = self.marks[mark] if mark >= 0 else {BEGINNING: 0, FUTURE: 10**12}[mark]
        if prefix:
            request["prefix"] = prefix
        if ignored:
            request["ignore_tags"] = ",".join(ignored)
        return self.ask("expect", request)
