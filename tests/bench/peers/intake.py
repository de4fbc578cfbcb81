# A fake intake as teams write it: keeps the body of each POST in memory, and reads it when asked. Prints its port.
import http.server
import json

bodies = []


class Intake(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(202, b'{"errors":[]}')

    def do_GET(self):
        kept = sum(len(series["points"]) for body in bodies for series in json.loads(body)["series"])
        self.answer(200, str(kept).encode())

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Intake)
print(server.server_port, flush=True)
server.serve_forever()
