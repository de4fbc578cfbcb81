"""HTTP/1.1 over one kept connection. http.client takes three times as long, which a suite pays for each test."""

import socket

_LINE_MAX, _LINES_MAX = 65536, 256


class NotHttp(Exception):
    """What answers does not speak HTTP, or stops in the middle of an answer."""


class Connection:
    def __init__(self, at, wait_s):
        self.sock = socket.create_connection((at.hostname, at.port or (443 if at.scheme == "https" else 80)), wait_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if at.scheme == "https":
            import ssl  # a suite pays for what it imports

            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=at.hostname)
        self._host = at.netloc.rpartition("@")[2]
        self._file = self.sock.makefile("rb")

    def close(self):
        self._file.close()
        self.sock.close()

    def ask(self, method, path, body, headers):
        """(status, body). ConnectionError when the server has closed the connection and answered nothing."""
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: " + self._host, "Content-Length: %d" % len(body or b"")]
        lines += ["%s: %s" % header for header in headers.items()]
        self.sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        first = self._file.readline(_LINE_MAX)
        if not first:
            raise ConnectionResetError("it closed the connection")
        words = first.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            raise NotHttp("that is no HTTP")
        told = self._headers()
        try:
            if told.get(b"transfer-encoding", b"").lower() == b"chunked":
                return int(words[1]), b"".join(self._chunks())
            size = told.get(b"content-length")
            return int(words[1]), self._file.read() if size is None else self._read(int(size))
        except ValueError as why:
            raise NotHttp("a length that is none") from why

    def _headers(self):
        told = {}
        for _ in range(_LINES_MAX):
            line = self._file.readline(_LINE_MAX)
            if not line.endswith(b"\n"):
                break
            if not line.strip():
                return told
            name, _, value = line.partition(b":")
            told[name.strip().lower()] = value.strip()
        raise NotHttp("an answer without an end")

    def _read(self, size):
        body = self._file.read(size) if size >= 0 else b""
        if len(body) != size:
            raise NotHttp("an answer that stops")
        return body

    def _chunks(self):
        while size := int(self._file.readline(_LINE_MAX).partition(b";")[0], 16):
            yield self._read(size)
            self._file.readline(_LINE_MAX)
        self._headers()
