#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of broken reply over HTTP/2: how it is classified, and that no person is mailed twice.

GOAWAY below our stream and REFUSED_STREAM mean that nothing was done. libcurl does not always show that; then a send
stays unconfirmed, which is the safe side.
"""
import unittest

import harness
import test_wire
import wire

try:
    import wire_http2
except ImportError:
    wire_http2 = None

case, body = test_wire.case, test_wire.body
CUT, UNEXPECTED, BROKEN, ENDED = "network_cut", "reply_unexpected", "reply_broken", "network_http2"
# libcurl itself ends a connection whose server does not keep to HTTP/2. 7.88 then only knows that no reply came,
# later ones (seen: 8.14) that HTTP/2 failed.
FAILED = (CUT, ENDED)
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED, CANCEL, CALM, HTTP_1_1 = 0, 1, 2, 7, 8, 11, 13
DATA, HEADERS, SETTINGS, PUSH, CONTINUATION = 0, 1, 4, 5, 9
END_HEADERS, END = 4, 5
OK = b"\x88"  # :status 200, from HPACK's table
ALICE = test_wire.ALICE


def begun(then):
    """The effect, a head and nine bytes of the body, and then."""
    def how(exchange):
        answer = exchange.effect()[2]
        exchange.head()
        exchange.data(answer[:9], end=False)
        then(exchange)
    return how


def framed(*frames):
    """The effect, and unchanged frames."""
    return lambda x: (x.effect(), *(x.frame(*frame) for frame in frames))


def refused(code, effect=True):
    return lambda x: (effect and x.effect(), x.refuse(code))


def gone(below, *then):
    """GOAWAY with a last stream below ours (nothing was done) or with ours."""
    def how(exchange):
        answer = None if below else exchange.effect()[2]
        exchange.goaway(max(0, exchange.stream - 2) if below else exchange.stream)
        for step in then:
            step(exchange, answer)
    return how


def cut(exchange, _=None):
    exchange.cut()


def answer_it(exchange, answer):
    exchange.reply(answer)


REFUSALS = {
    "GOAWAY below": gone(True),
    "GOAWAY below, cut": gone(True, cut),
    "GOAWAY below with ENHANCE_YOUR_CALM": lambda x: x.goaway(0, CALM),
}
CUTS = {
    "cut before the effect": case(cut, CUT, mails=0, replayed=True),
    "cut after the effect": case(lambda x: (x.effect(), x.cut()), CUT, replayed=True),
    "reset after the effect": case(lambda x: (x.effect(), x.reset()), CUT, replayed=True),
    "GOAWAY with ours, cut": case(gone(False, cut), CUT, replayed=True),
    "cut after the head": case(lambda x: (x.effect(), x.head(), x.cut()), CUT),
    "cut in the body": case(begun(cut), CUT),
    "reset in the body": case(begun(lambda x: x.reset()), CUT),
    "cut after 103": case(lambda x: (x.effect(), x.frame(HEADERS, END_HEADERS, b"\x08\x03103"), x.cut()), CUT,
                          replayed=True),
    # A TLS close_notify says that the server closes on purpose; for libcurl 8.14 this is HTTP/2 without a reply.
    "closed after the effect": case(lambda x: (x.effect(), x.close()), FAILED, replayed=True),
}
RESETS = {
    "CANCEL": case(refused(CANCEL), ENDED),
    "INTERNAL_ERROR": case(refused(INTERNAL_ERROR), ENDED),
    "PROTOCOL_ERROR": case(refused(PROTOCOL_ERROR, effect=False), ENDED, mails=0),
    "ENHANCE_YOUR_CALM": case(refused(CALM, effect=False), ENDED, mails=0),
    "NO_ERROR": case(refused(NO_ERROR), ENDED),
    "an unknown code": case(refused(99), ENDED),
    "INTERNAL_ERROR in the body": case(begun(lambda x: x.refuse(INTERNAL_ERROR)), ENDED),
    "REFUSED_STREAM in the body": case(begun(lambda x: x.refuse(REFUSED)), BROKEN),
}
SHAPES = {
    "no body": case(lambda x: (x.effect(), x.head(end=True)), UNEXPECTED),
    "half a body": case(body(lambda answer: answer[:len(answer) // 2]), UNEXPECTED),
    "a page": case(body(lambda _: b"<html>"), UNEXPECTED),
    "a longer length": case(lambda x: x.reply(x.effect()[2], length=999), ENDED),
    "a shorter length": case(lambda x: x.reply(x.effect()[2], length=3), ENDED),
    "a negative length": case(lambda x: x.reply(x.effect()[2], length=-3), ENDED),
    "two lengths": case(lambda x: x.reply(x.effect()[2], headers=["content-length: 3"]), ENDED),
    "transfer-encoding": case(lambda x: x.reply(x.effect()[2],
                                                headers=["transfer-encoding: chunked"]), ENDED),
    # libcurl 7.88 leaves these to nghttp2 or to the program; for 8.14 they are not HTTP.
    "no status": case(framed((HEADERS, END, b"\x00\x01a\x01b")), (ENDED, BROKEN)),
    "status 0": case(framed((HEADERS, END, b"\x08\x03000")), (UNEXPECTED, BROKEN)),
    "status 101": case(framed((HEADERS, END_HEADERS, b"\x08\x03101")), ENDED),
    "a name in capitals": case(framed((HEADERS, END, OK + b"\x00\x01A\x01b")), ENDED),
    "NUL in a value": case(framed((HEADERS, END, OK + b"\x00\x01a\x03b\0c")), ENDED),
    "3 MB": case(body(lambda answer: answer[:-1] + b',"p":"' + b"x" * 3_000_000 + b'"}'),
                 "reply_too_large"),
    "broken HPACK": case(framed((HEADERS, END, b"\xff" * 9)), FAILED, replayed=True),
    "too large a frame": case(framed((DATA, 1, b"x" * 20000)), FAILED, replayed=True),
    "a push that nobody allowed": case(framed((PUSH, END_HEADERS, b"\0\0\0\2\x82\x84\x87A\x01a")),
                                       FAILED, replayed=True),
    "broken SETTINGS": case(framed((SETTINGS, 0, b"123", 0)), FAILED, replayed=True),
    "a frame out of order": case(framed((HEADERS, END_HEADERS, b"\x08\x03103"), (CONTINUATION, END_HEADERS, b"")),
                                 FAILED, replayed=True),
}
FINE = {
    "GOAWAY with ours before the reply": gone(False, answer_it),
    "GOAWAY with ours around the reply": lambda x: (x.goaway(2**31 - 1), x.reply(x.effect()[2]),
                                                    x.goaway(x.stream), x.cut()),
    "103 before it": lambda x: (x.frame(HEADERS, END_HEADERS, b"\x08\x03103"),
                                x.reply(x.effect()[2])),
    "2,000 pings before it": lambda x: ([x.frame(6, 0, b"12345678", 0) for _ in range(2000)],
                                        x.reply(x.effect()[2])),
}


@unittest.skipUnless(wire_http2, "needs python3-h2")
class Frames(test_wire.Broken):

    def make_wire(self, google):
        return wire_http2.Wire(google)

    def test_goaway_below_our_stream_had_no_effect_and_a_send_may_go_again(self):
        for name, how in REFUSALS.items():
            for reused in (False, True):
                reply, requests = self.ask("send", how, reused)
                self.assertEqual((reply["kind"], reply["code"], requests),
                                 ("transient", "network_refused", 1), (name, reply["what"]))
                self.assertIn("Nothing was done", reply["remedy"])
                self.assertEqual(self.google.mailbox()["total"], 0, name)
                for method in ("check", "get", "list"):
                    reply, _ = self.ask(method, how, reused)
                    self.assertIn(reply["kind"], ("none", "transient"), (name, reply["what"]))

    def test_a_refused_stream_on_a_new_connection_had_no_effect(self):
        for method in ("check", "get", "list"):
            reply, requests = self.ask(method, refused(REFUSED, effect=False), False)
            self.assertEqual((reply["kind"], requests), ("none", 2), method)
        reply, requests = self.ask("send", refused(REFUSED, effect=False), False)
        self.assertEqual((reply["kind"], reply["code"], requests),
                         ("transient", "network_refused", 1), reply["what"])
        self.assertIn("Nothing was done", reply["remedy"])

    def test_a_refused_stream_on_a_reused_connection_looks_like_a_dead_one(self):
        reply, requests = self.ask("send", refused(REFUSED, effect=False), True)
        self.assertEqual((reply["kind"], requests), ("ambiguous", 1), reply["what"])
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_a_connection_that_is_cut_leaves_a_send_unconfirmed(self):
        self.expect_all(CUTS, ("check", "get", "list", "send"))

    def test_a_call_that_the_server_ends_leaves_a_send_unconfirmed(self):
        self.expect_all(RESETS)

    def test_a_reply_of_the_wrong_shape_says_nothing(self):
        self.expect_all(SHAPES)

    def test_what_is_only_unusual_is_an_answer(self):
        for name, how in FINE.items():
            for reused in (False, True):
                self.assertTrue(self.ask("check", how, reused)[0]["invitable"], name)
                self.assertTrue(self.ask("send", how, reused)[0]["confirmed"], name)
                self.assertEqual(self.google.mailbox()["total"], 1, name)

    def test_a_connection_that_has_fallen_silent_does_not_get_the_next_call(self):
        for method, kind in (("check", "transient"), ("send", "ambiguous")):
            reply, _ = self.ask(method, lambda x: (x.effect(), x.silence(9)), True)
            self.assertEqual((reply["kind"], reply["code"]), (kind, "network_timeout"))
            before = self.wire.connections
            self.assertEqual(self.calling.one("get", ALICE)["kind"], "none")
            self.assertEqual(self.wire.connections, before + 1)


class Both(wire_http2.Wire if wire_http2 else wire.Wire):
    """HTTP/2 at first, HTTP/1.1 for clients that ask for it."""

    protocols = ["h2", "http/1.1"]

    def talk(self, connection):
        if connection.selected_alpn_protocol() == "h2":
            super().talk(connection)
        else:
            wire.Wire.talk(self, connection)


@unittest.skipUnless(wire_http2, "needs python3-h2")
class Downgrade(test_wire.Broken):

    make_wire = Both

    def test_a_server_that_then_wants_http_1_gets_no_send_twice(self):
        for effect in (True, False):
            for reused in (False, True):
                reply, requests = self.ask("send", refused(HTTP_1_1, effect), reused)
                self.assertEqual((reply["kind"], reply["code"], requests),
                                 ("ambiguous", CUT, 1), reply["what"])
                self.assertEqual(self.google.mailbox()["total"], int(effect))
                # Over HTTP/1.1 from here on, until the handle is no longer used.
                self.assertTrue(self.calling.one("check", ALICE)["invitable"])


if __name__ == "__main__":
    harness.main()
