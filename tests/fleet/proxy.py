"""A proxy before an engine that misbehaves: it loses answers, closes connections, answers for the engine."""

import http.client
import http.server
import random
import threading
import urllib.parse


class Proxy:
    """`with Proxy(port, faults, seed) as p:` listens on p.port. faults: share of requests for each way."""

    WAYS = ("lose the answer", "do nothing and close", "say 252", "say 200 and an exception", "say 500", "say 200 to what was not done",
            "say 200 and an exception in the text", "end in mid-answer", "never end")

    def __init__(self, port, share=0, seed=0, ways=WAYS[:5], before=None, after=None):
        """before(i, path), after(i, path): called around the i-th request; it is lost when one of them says so."""
        self.port_behind, self.share, self.rng, self.ways, self.done = port, share, random.Random(seed), ways, []
        self.lock, self.paths, self.before, self.after = threading.Lock(), [], before, after
        self.given = 0  # bytes of answers
        self.asked = []  # SQL

    def choose(self, path):
        with self.lock:
            way = self.rng.choice(self.ways) if self.rng.random() < self.share else None
            if way == self.WAYS[5] and "INSERT" not in path:
                way = None
            if way:
                self.done.append(way)
            return way

    def __enter__(self):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, status, body, **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def cut(self, text, endless):
                self.send_response(200)
                if not endless:
                    self.send_header("Content-Length", str(len(text) + 1))
                self.end_headers()
                self.wfile.write(text[:(len(text) + 1) // 2])
                while endless:
                    self.wfile.write(b"1\n" * 65536)
                self.close_connection = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                way = proxy.choose(self.path)
                with proxy.lock:
                    i = len(proxy.paths)
                    proxy.paths.append(self.path)
                    proxy.asked.append(urllib.parse.parse_qs(self.path).get("query", [""])[0] or body.decode(errors="replace"))
                if proxy.before and proxy.before(i, self.path):
                    self.close_connection = True
                    return
                if way == Proxy.WAYS[1]:
                    self.close_connection = True
                    return
                if way == Proxy.WAYS[2]:
                    return self.reply(500, b"Code: 252, e.displayText() = DB::Exception: Too many parts", X_ClickHouse_Exception_Code="252")
                if way == Proxy.WAYS[4]:
                    return self.reply(500, b"no ClickHouse here")
                if way == Proxy.WAYS[5]:
                    return self.reply(200, b"")
                behind = http.client.HTTPConnection("127.0.0.1", proxy.port_behind, timeout=120)
                behind.request("POST", self.path, body, {k: v for k, v in self.headers.items() if k != "Host"})
                answer = behind.getresponse()
                text = answer.read()
                behind.close()
                with proxy.lock:
                    proxy.given += len(text)
                if way == Proxy.WAYS[0] or (proxy.after and proxy.after(i, self.path)):
                    self.close_connection = True
                    return
                if way == Proxy.WAYS[6]:
                    return self.reply(200, text[:len(text) // 2] + b"Code: 241, e.displayText() = DB::Exception: Memory limit")
                if way in Proxy.WAYS[7:]:
                    return self.cut(text, way == Proxy.WAYS[8])
                if way == Proxy.WAYS[3]:
                    return self.reply(200, text[:len(text) // 2] + b"Code: 241, e.displayText() = DB::Exception", X_ClickHouse_Exception_Code="241")
                code = answer.headers.get("X-ClickHouse-Exception-Code")
                self.reply(answer.status, text, **({"X_ClickHouse_Exception_Code": code} if code else {}))

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
