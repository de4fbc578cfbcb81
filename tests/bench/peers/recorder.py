"""What a team writes in an afternoon instead: socketserver and sqlite3. recorder.py FILE; prints its port, and at
a line `end:…` how many samples it has."""
import socketserver, sqlite3, sys

db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=OFF")
db.execute("CREATE TABLE samples (name, value, type, tags)")


class Recorder(socketserver.BaseRequestHandler):
    def handle(self):
        rows = []
        for line in self.request[0].decode(errors="replace").splitlines():
            name, _, rest = line.partition(":")
            if name == "end":
                print(*db.execute("SELECT count(*) FROM samples").fetchone(), flush=True)
                continue
            value, kind, *extra = rest.split("|")
            rows.append((name, float(value), kind, next((e[1:] for e in extra if e[0] == "#"), "")))
        with db:
            db.executemany("INSERT INTO samples VALUES (?, ?, ?, ?)", rows)


with socketserver.UDPServer(("127.0.0.1", 0), Recorder) as server:
    server.max_packet_size = 65536
    print(server.server_address[1], flush=True)
    server.serve_forever()
