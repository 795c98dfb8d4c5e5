# SPDX-License-Identifier: Apache-2.0
"""wire.Wire over HTTP/2, with python3-h2: every frame can be one that a good server never sends."""
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions

import wire


class Exchange(wire.Exchange):
    """One request on a stream of its own."""

    def __init__(self, server, connection, http2, stream, headers):
        names = dict(headers)
        kept = {"Content-Type", "Authorization"}
        super().__init__(server, connection, names[":method"], names[":path"],
                         {name: names[name.lower()] for name in kept if name.lower() in names}, b"")
        self.http2, self.stream = http2, stream

    def flush(self):
        return self.write(self.http2.data_to_send())

    def head(self, status=200, headers=(), end=False):
        self.http2.send_headers(self.stream, [(":status", str(status)), *headers], end_stream=end)
        return self.flush()

    def data(self, body, end=True):
        """As much as the client's window allows at a time. False when the client has gone."""
        while len(body) > 16384:
            room = min(self.http2.local_flow_control_window(self.stream), 16384)
            self.http2.send_data(self.stream, body[:room])
            body = body[room:]
            if not self.flush() or (not room and not self.widen()):
                return False
        self.http2.send_data(self.stream, body, end_stream=end)
        return self.flush()

    def widen(self):
        """Waits for the client's next frame, which says that it has read."""
        received = self.connection.recv(65536)
        self.http2.receive_data(received)
        return bool(received)

    def reply(self, body, status="200 OK", headers=(), length=None, version=None):
        head = [("content-type", "application/json"),
                ("content-length", str(len(body) if length is None else length)),
                *(tuple(part.strip().lower() if at == 0 else part.strip()
                        for at, part in enumerate(line.split(":", 1))) for line in headers)]
        return self.head(status.split()[0], head) and self.data(body)

    def refuse(self, code):
        """RST_STREAM."""
        self.http2.reset_stream(self.stream, code)
        self.flush()

    def goaway(self, last, code=h2.errors.ErrorCodes.NO_ERROR):
        """As a frame of our own: the library would otherwise send no more on this connection."""
        payload = last.to_bytes(4, "big") + int(code).to_bytes(4, "big")
        self.write(len(payload).to_bytes(3, "big") + b"\x07\x00" + bytes(4) + payload)

    def frame(self, kind, flags, payload, stream=None):
        """Any frame at all."""
        stream = self.stream if stream is None else stream
        self.write(len(payload).to_bytes(3, "big") + bytes((kind, flags)) +
                   stream.to_bytes(4, "big") + payload)


class Wire(wire.Wire):
    protocols = ["h2"]

    def talk(self, connection):
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8",
                                           validate_outbound_headers=False,
                                           normalize_outbound_headers=False)
        http2 = h2.connection.H2Connection(config)
        http2.initiate_connection()
        connection.sendall(http2.data_to_send())
        under_way = {}
        while True:
            received = connection.recv(65536)
            if not received:
                return
            try:
                events = http2.receive_data(received)
            except h2.exceptions.ProtocolError:
                return
            # From here on the client's settings apply, for example whether it allows pushes.
            connection.sendall(http2.data_to_send())
            for event in events:
                self.take(connection, http2, event, under_way)
            connection.sendall(http2.data_to_send())

    def take(self, connection, http2, event, under_way):
        if isinstance(event, h2.events.RequestReceived):
            under_way[event.stream_id] = Exchange(self, connection, http2, event.stream_id,
                                                  event.headers)
        elif isinstance(event, h2.events.DataReceived) and event.stream_id in under_way:
            under_way[event.stream_id].body += event.data
            http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if isinstance(event, h2.events.StreamEnded) and event.stream_id in under_way:
            self.answer(under_way.pop(event.stream_id))

    def answer(self, exchange):
        self.requests.append((exchange.method, exchange.path))
        how = self.take_how(exchange.path)
        try:
            if how:
                how(exchange)
                return
            status, _, body = exchange.effect()
            closing = self.close_after
            exchange.reply(body, str(status))
            if closing:
                exchange.cut()
        except h2.exceptions.ProtocolError:
            pass
