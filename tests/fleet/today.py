"""The same questions to the ClickHouse of today, which PyPI's chdb holds in a library: today.py [unittest's arguments]. An HTTP server stands before
it, which takes what statwit sends to a clickhouse-server: a question, tables that go along, settings, or the rows of an INSERT."""

import gzip
import http.server
import os
import re
import shutil
import sys
import tempfile
import threading
import unittest
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    from chdb import session
except ImportError:
    print("fleet-today: no chdb here, so nothing is tested (pip install chdb)")
    sys.exit(0)
import fleet_test  # noqa: E402

OURS = ("database", "query", "query_id", "wait_end_of_query")
FORMAT = re.compile(r"\s+FORMAT\s+(\w+)\s*$")


class Node:
    """Looks like engine.Node, as far as the tests that run here ask."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="statwit-today-")
        self.session, self.lock, self.asked = session.Session(os.path.join(self.folder, "data")), threading.Lock(), 0
        node = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    status, text, headers = 200, node.answer(self.path, self.headers, body), {}
                except RuntimeError as error:
                    code = re.search(r"Code: (\d+)", str(error))
                    status, text, headers = 500, str(error).encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1000"}
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def run(self, sql, form="TSV"):
        return self.session.query(sql, form).bytes()

    def keep(self, body):
        path = os.path.join(self.folder, "rows.bin")
        with open(path, "wb") as file:
            file.write(body)
        return path

    def insert(self, table, body):
        columns = self.run(f"DESCRIBE TABLE {table}").decode().splitlines()
        structure = ", ".join(" ".join(line.split("\t")[:2]) for line in columns).replace("'", "\\'")
        self.run(f"INSERT INTO {table} SELECT * FROM file('{self.keep(body)}', 'RowBinary', '{structure}')")
        return b""

    def tables(self, headers, body):
        """The parts of a form: name and bytes."""
        boundary = re.search(r"boundary=(\S+)", headers.get("Content-Type", ""))
        for part in body.split(b"--" + boundary[1].encode())[1:-1] if boundary else ():
            head, _, rows = part.partition(b"\r\n\r\n")
            yield re.search(rb'name="(\w+)"', head)[1].decode(), rows[:-2]

    def answer(self, path, headers, body):
        args = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query, keep_blank_values=True))
        body = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        with self.lock:
            self.asked += 1
            if "database" in args:
                self.run(f"USE {args['database']}")
            sent = list(self.tables(headers, body))
            sql = args.get("query") or body.decode()
            into = re.match(r"INSERT INTO (\w+) FORMAT RowBinary$", sql)
            if into:
                return self.insert(into[1], body)
            for name, rows in sent:
                self.run(f"CREATE OR REPLACE TABLE {name} ({args[name + '_structure']}) ENGINE = Memory")
                self.insert(name, rows)
            settings = ", ".join(f"{k} = '{v}'" for k, v in args.items() if k not in OURS and not k.endswith(("_structure", "_format")))
            form = FORMAT.search(sql)
            select = sql[:form.start()] + (f" SETTINGS {settings}" if settings else "") if form else sql
            try:
                return self.run(select, form[1] if form else "TSV")
            finally:
                for name, _ in sent:
                    self.run(f"DROP TABLE {name}")

    def ask(self, sql, **_):
        with self.lock:
            return self.run(sql).decode().rstrip("\n")

    def url(self, database, query=""):
        return f"clickhouse://127.0.0.1:{self.http}/{database}" + (f"?{query}" if query else "")


class Engine:
    def __enter__(self):
        self.node = Node()
        print("ClickHouse", self.node.ask("SELECT version()"), flush=True)
        return [self.node]

    def __exit__(self, *_):
        self.node.server.shutdown()
        self.node.server.server_close()
        self.node.session.close()
        shutil.rmtree(self.node.folder, ignore_errors=True)


class Today(fleet_test.Fleet):
    @classmethod
    def make_engine(cls):
        return Engine()

    def same(self, path, url, *quick):
        """All questions for what holds every kind of record; one question of each kind for the rest."""
        super().same(path, url, *(quick or (() if url.endswith(("=bites", "=fixtures")) else ("quick",))))


KEPT = ("every_answer", "every_expectation", "every_command", "diff_of", "many_recordings", "who_sends", "labels", "percentiles", "only_one", "newer_schema",
        "again_replaces", "still_written")


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(Today(name) for name in loader.getTestCaseNames(Today) if any(word in name for word in KEPT))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
