# SPDX-License-Identifier: Apache-2.0
"""A server over TLS that can break its replies in every way, in front of the emulated Google.

Other requests pass through to the emulator and back. `wire.break_next(how, "send")` gives the next request whose path
ends so to `how(exchange)`, which decides whether it has its effect (exchange.effect()) and which bytes go back:

    wire.break_next(lambda x: (x.effect(), x.cut()))
"""
import http.client
import os
import queue
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading

import harness


def certificate(directory, name="subjectAltName=IP:127.0.0.1", expired=False):
    """cert.pem and key.pem in `directory`: self-signed, by default for 127.0.0.1."""
    key, cert = os.path.join(directory, "key.pem"), os.path.join(directory, "cert.pem")
    # OpenSSL 3.5 makes none that has expired.
    before = ["faketime", "-f", "-2d"] if expired else []
    subprocess.run([*before, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test", "-addext", name,
                    "-days", "1", "-keyout", key, "-out", cert], check=True, capture_output=True)


class Exchange:
    """One request and the ways to answer it, over HTTP/1.1."""

    def __init__(self, wire, connection, method, path, headers, body):
        self.wire = wire
        self.connection = connection
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.stopped = wire.stopped

    def effect(self):
        """Passes the request on to the emulator: (status, headers, body)."""
        return self.wire.google.request(self.method, self.path, self.body, self.headers)

    def write(self, *pieces):
        """Unchanged bytes; False when the client has gone."""
        try:
            for piece in pieces:
                self.connection.sendall(piece)
            return True
        except OSError:
            return False

    def reply(self, body, status="200 OK", headers=(), length=None, version="HTTP/1.1"):
        """A whole reply; its Content-Length can be wrong on purpose."""
        lines = [f"{version} {status}", "Content-Type: application/json", *headers,
                 f"Content-Length: {len(body) if length is None else length}"]
        return self.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def cut(self):
        """The connection ends, as when the server's host dies."""
        self.connection.shutdown_raw()

    def close(self):
        """It ends as a server ends it, with TLS's close_notify."""
        self.connection.unwrap()
        self.connection.close()

    def reset(self):
        """The same as cut() with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def silence(self, seconds):
        """The client waits, and the end of the test does not wait for it."""
        self.stopped.wait(seconds)

    def drip(self, pieces, every=0.1):
        for piece in pieces:
            if self.stopped.wait(every) or not self.write(piece):
                return


class Wire:
    """The server. `requests` are those of the API in their order: (method, path)."""

    protocols = ["http/1.1"]

    def __init__(self, google, context=None):
        self.google = google
        self.directory = tempfile.mkdtemp(prefix="cloudinvite-wire.")
        self.requests, self.connections, self.ends = [], 0, queue.SimpleQueue()
        self.how, self.end = None, ""
        self.close_after = False
        self.stopped = threading.Event()
        certificate(self.directory)
        self.context = context or self.make_context()
        self.trust()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.open = set()
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def make_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(self.protocols)
        return context

    def trust(self):
        """Uses cert.pem, and names it in ca.pem beside the emulator's authority."""
        self.context.load_cert_chain(self.file("cert.pem"), self.file("key.pem"))
        with open(self.file("ca.pem"), "w", encoding="utf-8") as file:
            for source in (self.file("cert.pem"), self.google.file("ca.pem")):
                with open(source, encoding="utf-8") as part:
                    file.write(part.read())

    def file(self, name):
        return os.path.join(self.directory, name)

    def close(self):
        self.stopped.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(harness.TIMEOUT)
        with self.lock:
            for connection in self.open:
                connection.shutdown_raw()
        shutil.rmtree(self.directory, ignore_errors=True)

    def break_next(self, how, end=""):
        self.how, self.end = how, end

    def take_how(self, path):
        """What the next request gets, once."""
        if not path.endswith(self.end):
            return None
        how, self.how = self.how, None
        return how

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        plain.settimeout(harness.TIMEOUT)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection = Connection.over(self.context, plain)
        except OSError:
            plain.close()
            return
        with self.lock:
            self.open.add(connection)
        try:
            self.talk(connection)
        except (OSError, ValueError, http.client.HTTPException):
            pass
        finally:
            with self.lock:
                self.open.discard(connection)
            connection.close()
            self.ends.put(connection)

    def talk(self, connection):
        """HTTP/1.1: requests one after the other."""
        stream = connection.makefile("rb")
        while True:
            line = stream.readline().split()
            if len(line) != 3:
                return
            method, path = line[0].decode(), line[1].decode()
            headers = http.client.parse_headers(stream)
            length = int(headers.get("Content-Length") or 0)
            body = stream.read(length)
            if len(body) != length:
                return
            self.requests.append((method, path))
            how = self.take_how(path)
            exchange = Exchange(self, connection, method, path, dict(headers), body)
            if how:
                how(exchange)
                return
            status, _, answer = exchange.effect()
            closing = ["Connection: close"] if self.close_after else []
            exchange.reply(answer, f"{status} -", closing)
            if closing:
                return


class Connection(ssl.SSLSocket):
    """One that can be cut without TLS's goodbye."""

    @classmethod
    def over(cls, context, plain):
        context.sslsocket_class = cls
        return context.wrap_socket(plain, server_side=True)

    def shutdown_raw(self):
        try:
            socket.socket.shutdown(self, socket.SHUT_RDWR)
        except OSError:
            pass
