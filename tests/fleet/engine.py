"""ClickHouse servers of our own on free ports, in a temporary folder."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

CONFIG = """<yandex>
 <logger><level>warning</level><log>{home}/log</log><errorlog>{home}/errors</errorlog></logger>
 <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host>
 <path>{home}/data/</path><tmp_path>{home}/tmp/</tmp_path><users_config>{home}/users.xml</users_config>
 <default_profile>default</default_profile><default_database>default</default_database>
 <mark_cache_size>67108864</mark_cache_size><max_concurrent_queries>100</max_concurrent_queries>
 <remote_servers><fleet>{shards}</fleet></remote_servers>
</yandex>"""
SHARD = "<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>{}</port></replica></shard>"
USER = "<{0}><password>{1}</password><networks><ip>127.0.0.1</ip></networks><profile>{2}</profile><quota>default</quota></{0}>"
USERS = """<yandex><profiles>
 <default><max_memory_usage>4000000000</max_memory_usage><max_threads>2</max_threads></default>
 <reader><readonly>2</readonly></reader><strict><readonly>1</readonly></strict>
 </profiles><users>""" + USER.format("default", "", "default") + USER.format("reader", "secret", "reader") + \
    USER.format("strict", "secret", "strict") + """</users>
 <quotas><default><interval><duration>3600</duration></interval></default></quotas></yandex>"""


def free_ports(n):
    """None of them is in use now. All are held until all are found."""
    sockets = [socket.socket() for _ in range(n)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Node:
    def __init__(self, home, http, tcp, shards):
        self.home, self.http, self.tcp, self.process = home, http, tcp, None
        os.makedirs(home)
        for name, text in (("config.xml", CONFIG.format(home=home, http=http, tcp=tcp, shards=shards)), ("users.xml", USERS)):
            with open(os.path.join(home, name), "w", encoding="ascii") as file:
                file.write(text)

    def start(self):
        self.process = subprocess.Popen(["clickhouse-server", "--config-file=" + os.path.join(self.home, "config.xml")],
                                        cwd=self.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.ask("SELECT 1")
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def ask(self, sql, **args):
        url = f"http://127.0.0.1:{self.http}/?" + urllib.parse.urlencode(args)
        try:
            with urllib.request.urlopen(url, sql.encode(), timeout=120) as answer:
                return answer.read().decode(errors="surrogateescape").rstrip("\n")
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode(errors="replace")[:500]) from error

    def url(self, database, query=""):
        return f"clickhouse://127.0.0.1:{self.http}/{database}" + (f"?{query}" if query else "")


class Engine:
    """`with Engine(2) as nodes:` starts two nodes that are the shards of the cluster `fleet`."""

    def __init__(self, n=1, prepare=None, undo=None):
        """prepare(node): called before a node starts. undo(node): called when it has ended, also one that never started."""
        self.n, self.prepare, self.undo, self.nodes = n, prepare, undo, []

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="statwit-fleet-")
        ports = free_ports(2 * self.n)
        shards = "".join(SHARD.format(tcp) for tcp in ports[self.n:])
        self.nodes = [Node(os.path.join(self.folder, f"n{i}"), ports[i], ports[self.n + i], shards) for i in range(self.n)]
        try:
            for node in self.nodes:
                if self.prepare:
                    self.prepare(node)
                node.start()
        except BaseException:
            self.__exit__()
            raise
        return self.nodes

    def __exit__(self, *_):
        for node in self.nodes:
            node.stop()
            if self.undo:
                self.undo(node)
        shutil.rmtree(self.folder)
