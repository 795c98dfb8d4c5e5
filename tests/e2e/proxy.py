# SPDX-License-Identifier: Apache-2.0
"""A proxy of any kind that the settings support, which records the requests.

    with proxy.Proxy("http", login=("me", "secret")) as it:
        … proxy = it.url …
        it.asked      the requested hosts: ["127.0.0.1:8443"]
        it.logins     the names and passwords that it got
        it.heard      what a proxy that inspects TLS could read
"""
import base64
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.parse

SOCKS_VERSION = 5
SOCKS_PASSWORD = 2
SOCKS_NO_METHOD = 0xff


class Authority:
    """A self-signed certificate for 127.0.0.1."""

    def __init__(self, name="IP:127.0.0.1"):
        self.directory = tempfile.mkdtemp(prefix="cloudinvite-authority.")
        self.certificate = os.path.join(self.directory, "cert.pem")
        self.key = os.path.join(self.directory, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=proxy",
                        "-addext", "subjectAltName=" + name, "-keyout", self.key,
                        "-out", self.certificate], check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def server(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def trusted_with(self, other):
        """A file with this authority and those of the file `other`."""
        path = os.path.join(self.directory, "both.pem")
        with open(path, "w", encoding="ascii") as out:
            for source in (self.certificate, other):
                with open(source, encoding="ascii") as part:
                    out.write(part.read())
        return path


class Proxy:
    """`scheme` as in [google] proxy. `login`: the user and the password that it requires. `refuse`: its answer to all
    who may use it (an HTTP status, or a SOCKS5 reply). `hang`: it accepts connections and does not answer. `inspect`:
    the authority with which it decrypts TLS. `lead`: where it connects, whatever the request.
    """

    def __init__(self, scheme="http", login=None, refuse=None, hang=False, inspect=None, tls=None,
                 lead=None):
        self.scheme, self.login, self.refuse, self.hang = scheme, login, refuse, hang
        self.inspect, self.tls, self.lead = inspect, tls, lead
        self.asked, self.logins, self.heard = [], [], b""
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.open = []

    @property
    def url(self):
        return f"{self.scheme}://{self.address}"

    def url_for(self, user, password):
        """With a login, percent-encoded as in a URL."""
        pair = ":".join(urllib.parse.quote(part, safe="") for part in (user, password))
        return f"{self.scheme}://{pair}@{self.address}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        for peer in self.open:
            peer.close()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(peer)
            threading.Thread(target=self.attend, args=(peer,), daemon=True).start()

    def attend(self, peer):
        try:
            if self.hang:
                return
            if self.tls:
                peer = self.tls.server().wrap_socket(peer, server_side=True)
            host = self.ask_socks(peer) if self.scheme.startswith("socks") else self.ask_http(peer)
            if host is None:
                peer.close()
            elif self.inspect:
                self.look_into(peer)
            else:
                self.carry(peer, self.lead or host)
        except (OSError, EOFError):
            peer.close()

    @staticmethod
    def take(peer, count):
        taken = b""
        while len(taken) < count:
            part = peer.recv(count - len(taken))
            if not part:
                raise EOFError
            taken += part
        return taken

    def ask_http(self, peer):
        """The host; None for clients that may not use the proxy."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.take(peer, 1)
        lines = head.decode("latin-1").split("\r\n")
        self.asked.append(lines[0].split()[1])
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        shown = [line.split(": ", 1)[1] for line in lines[1:]
                 if line.lower().startswith("proxy-authorization: basic ")]
        pair = base64.b64decode(shown[0].split()[1]).decode().split(":", 1) if shown else None
        if pair:
            self.logins.append(tuple(pair))
        status = 407 if self.login and tuple(pair or ()) != self.login else self.refuse or 200
        if "authorization" in headers:
            raise AssertionError("the proxy was shown Google's token")
        more = 'Proxy-Authenticate: Basic realm="x"\r\n' if status == 407 else ""
        length = "" if status == 200 else "Content-Length: 0\r\n"
        peer.sendall(f"HTTP/1.1 {status} Proxy\r\n{more}{length}\r\n".encode())
        return self.asked[-1] if status == 200 else None

    def socks_login(self, peer, methods):
        if not self.login:
            peer.sendall(bytes([SOCKS_VERSION, 0]))
            return True
        if SOCKS_PASSWORD not in methods:
            peer.sendall(bytes([SOCKS_VERSION, SOCKS_NO_METHOD]))
            return False
        peer.sendall(bytes([SOCKS_VERSION, SOCKS_PASSWORD]))
        user = self.take(peer, self.take(peer, 2)[1])
        password = self.take(peer, self.take(peer, 1)[0])
        self.logins.append((user.decode(), password.decode()))
        good = self.logins[-1] == self.login
        peer.sendall(bytes([1, 0 if good else 1]))
        return good

    def ask_socks(self, peer):
        if not self.socks_login(peer, self.take(peer, self.take(peer, 2)[1])):
            return None
        kind = self.take(peer, 4)[3]
        host = socket.inet_ntoa(self.take(peer, 4)) if kind == 1 \
            else self.take(peer, self.take(peer, 1)[0]).decode()
        self.asked.append(f"{host}:{int.from_bytes(self.take(peer, 2), 'big')}")
        peer.sendall(bytes([SOCKS_VERSION, self.refuse or 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        return None if self.refuse else self.asked[-1]

    def look_into(self, peer):
        with self.inspect.server().wrap_socket(peer, server_side=True) as inside:
            self.heard += inside.recv(65536)

    def carry(self, peer, host):
        name, port = host.rsplit(":", 1)
        with socket.create_connection((name, int(port))) as server:
            back = threading.Thread(target=self.pump, args=(server, peer), daemon=True)
            back.start()
            self.pump(peer, server)
            back.join()

    @staticmethod
    def pump(source, target):
        try:
            while True:
                part = source.recv(65536)
                if not part:
                    break
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
