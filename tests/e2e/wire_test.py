"""The wire text, and what else the test suites of DogStatsD clients need of a server in the place of their own: exact bytes, their order,
telemetry, and another server on the same path. Run by `make e2e-wire`, with STATWIT naming the binary."""

import base64
import os
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from recorder import Recorder

SENT = [b"a:6.000000|c|#x:1\nb:3:3|ms\n", b"_e{1,1}:a|b|h:x\nbad\nc:1|g|@0.5|#\xff", b"nan:NaN:1:2|g", b"\n",
        b"datadog.dogstatsd.client.metrics:7|c|#client:go", b"d:1|c|#\xc3\xa9,,dup,dup|c:in-1|e:it-false|T1"]
LINES = {"a": b"a:6.000000|c|#x:1", "b": b"b:3:3|ms", "c": b"c:1|g|@0.5|#\xff", "nan": b"nan:NaN:1:2|g", "datadog.dogstatsd.client.metrics": SENT[4], "d": SENT[5]}


def exact(row, field="text"):
    return base64.b64decode(row[field + "_b64"]) if field + "_b64" in row else row[field].encode()


def statwit(*args):
    return subprocess.run([os.environ["STATWIT"], *args], capture_output=True, check=True).stdout


def raw_export(datagrams):
    return b"".join(d if d.endswith(b"\n") else d + b"\n" for d in datagrams)


class Wire(unittest.TestCase):
    def test_datagrams_are_given_back_byte_for_byte_and_in_order(self):
        with Recorder("--keep-datagrams") as r:
            r.send(*SENT)
            rows = r.get("datagrams")["datagrams"]
            self.assertEqual([exact(d) for d in rows], SENT)
            self.assertEqual([d["bytes"] for d in rows], [len(d) for d in SENT])
            url = ("--url", r.ready["http"])
            self.assertEqual(statwit("export", *url, "--format", "dogstatsd", "--raw"), raw_export(SENT))
            self.assertEqual(r.raw("GET", "/recorder/v1/export?format=dogstatsd&raw=true")[2], raw_export(SENT))
            self.assertEqual(len(statwit("datagrams", *url).splitlines()), 1 + len(SENT))
            self.assertIn(b"c:1|g|@0.5|#\\xff", statwit("datagrams", *url, "--wide"))
            db = r.folder.name + "/r.db"
            self.assertEqual(statwit("export", "--db", db, "--format", "dogstatsd", "--raw"), raw_export(SENT))
            view = sqlite3.connect(db)
            self.assertEqual([row[0] for row in view.execute("SELECT bytes FROM datagrams ORDER BY id")], SENT)
            self.assertEqual(view.execute("SELECT session, source, n_bytes FROM datagrams").fetchone(), ("default", "udp", len(SENT[0])))
            view.close()

    def test_each_sample_knows_its_line(self):
        with Recorder("--keep-datagrams") as r:
            r.send(*SENT)
            r.raw("POST", "/dogstatsd/v2/proxy", "http:1|c")
            samples = r.get("samples")["samples"]
            self.assertEqual({s["name"]: exact(s, "line") for s in samples if "line" in s}, LINES)
            self.assertEqual([s["name"] for s in samples if "line" not in s], ["http"])
            of_file = statwit("samples", "--db", r.folder.name + "/r.db", "--json")
            self.assertIn(b'"line":"a:6.000000|c|#x:1"', of_file)
            self.assertEqual(exact(r.get("samples", name="d")["samples"][0], "line"), SENT[5])
            for i in range(300):
                r.send(f"n{i}:{i}|c\nm{i}:{i}:{i}|h", f"x{i}:1|g")
            got = {(s["name"], exact(s, "line")) for s in r.get("samples", newest="true", limit=1200)["samples"] if s["name"][1:].isdigit()}
            self.assertEqual(got, {(line.split(":")[0], line.encode()) for i in range(300) for line in (f"n{i}:{i}|c", f"m{i}:{i}:{i}|h", f"x{i}:1|g")})
        with Recorder() as r:
            r.send("a:1|c")
            self.assertNotIn("line", r.get("samples")["samples"][0])

    def test_a_line_that_is_not_certain_is_not_given(self):
        with Recorder("--keep-datagrams", "--max-series", "1") as r:
            r.send("a:1|c", "b:1|c\nc:1|c\na:2|c\nd:1|g", "a:3|c")
            got = [(s["value"], s.get("line")) for s in r.get("samples")["samples"]]
            self.assertEqual([v for v, _ in got], [1, 2, 3])
            self.assertTrue(all(line in (None, f"a:{v}|c") for v, line in got), got)

    def test_filters_and_pages(self):
        with Recorder("--keep-datagrams") as r:
            r.ask("POST", "/recorder/v1/sessions", {"name": "other"}, status=201)
            r.send(*(f"a:{i}|c" for i in range(10)))
            mark = r.ask("POST", "/recorder/v1/marks", {})["mark"]
            r.send("late:1|c")

            def texts(**args):
                return [d["text"] for d in r.get("datagrams", **args)["datagrams"]]
            self.assertEqual(texts(since=mark), ["late:1|c"])
            self.assertEqual(texts(until=mark), [f"a:{i}|c" for i in range(10)])
            self.assertEqual(texts(newest="true", limit=2), ["a:9|c", "late:1|c"])
            first = r.get("datagrams", limit=4)
            self.assertEqual([d["text"] for d in first["datagrams"]], [f"a:{i}|c" for i in range(4)])
            self.assertEqual(texts(cursor=first["next"], limit=2), ["a:4|c", "a:5|c"])
            self.assertEqual((texts(session="other"), texts(source="unixgram"), len(texts(session="*"))), ([], [], 11))
            for bad in ("datagrams?name=a", "datagrams?tag=a", "export?format=dogstatsd&raw=true&name=a", "export?format=csv&raw=true"):
                self.assertEqual(r.raw("GET", "/recorder/v1/" + bad)[0], 400, bad)
            removed = r.ask("POST", "/recorder/v1/reset", {})["removed"]
            self.assertEqual((removed["datagrams"], texts()), (11, []))

    def test_without_the_option_an_empty_list_would_be_a_lie(self):
        with Recorder() as r:
            self.assertIn("--keep-datagrams", r.ask("GET", "/recorder/v1/datagrams", status=409)["error"])
            self.assertEqual(r.raw("GET", "/recorder/v1/export?format=dogstatsd&raw=true")[0], 409)

    def test_retention_takes_datagrams_with_their_samples(self):
        with Recorder("--keep-datagrams", "--retention-samples", "1000") as r:
            for i in range(50):
                r.send(*(f"a:{k}|c" for k in range(100)))
                r.get("status")
            kept = len(r.get("datagrams")["datagrams"])
            self.assertTrue(900 <= kept <= 2000, kept)


class Places(unittest.TestCase):
    def test_unix_sockets_keep_bytes_and_order_too(self):
        with tempfile.TemporaryDirectory() as folder:
            gram, stream = folder + "/dsd.sock", folder + "/dsd-stream.sock"
            with Recorder("--keep-datagrams", "--dogstatsd-socket", gram, "--dogstatsd-stream-socket", stream) as r:
                client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                client.connect(gram)
                for d in SENT:
                    client.send(d)
                frames = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                frames.connect(stream)
                for d in SENT:
                    frames.sendall(len(d).to_bytes(4, "little") + d)
                for source in ("unixgram", "unixstream"):
                    self.assertEqual([exact(d) for d in r.get("datagrams", source=source)["datagrams"]], SENT)
                client.close()
                frames.close()

    def test_another_server_on_the_same_path_after_a_stop_and_after_a_kill(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/dsd.sock"
            client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            for i in range(3):
                r = Recorder("--keep-datagrams", "--dogstatsd-socket", path).__enter__()
                client.connect(path)
                client.send(f"round{i}:1|c".encode())
                self.assertEqual([d["text"] for d in r.get("datagrams")["datagrams"]], [f"round{i}:1|c"])
                if i == 1:
                    r.process.kill()
                    r.process.wait()
                    r.connection.close()
                    r.udp.close()
                    r.process.stdout.close()
                    r.log.close()
                    r.folder.cleanup()
                    self.assertTrue(os.path.exists(path))
                else:
                    r.__exit__()
                    self.assertFalse(os.path.exists(path))
            client.close()

    def test_the_same_udp_port_again_at_once(self):
        with Recorder() as r:
            port = r.ready["env"]["DD_DOGSTATSD_PORT"]
        with Recorder("--dogstatsd-port", port) as r:
            r.send("a:1|c")
            self.assertEqual(r.get("samples")["samples"][0]["name"], "a")

    def test_client_telemetry_is_there_when_it_is_named(self):
        with Recorder() as r:
            r.send("datadog.dogstatsd.client.metrics:7|c|#client:go,client_transport:udp")
            verdict = r.ask("POST", "/recorder/v1/expect", {"expect": ["incr datadog.dogstatsd.client.metrics{client:go} sum == 7", "no any *"]})
            self.assertEqual(verdict["verdict"], "pass")


if __name__ == "__main__":
    unittest.main()
