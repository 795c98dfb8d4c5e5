#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kind of broken reply over HTTP/1.1: how it is classified, and that no person is mailed twice."""
import collections
import gzip
import json

import google_caller
import harness
import wire

ALICE = "alice@example.com"
MALFORMED = b'{"isInvitableUser":"yes","name":7,"userInvitations":{},"done":"x"}'

# how(exchange) breaks the reply. For check, get and list: the kind and the code; `send` is unconfirmed unless stated
# otherwise, with `mails` sent. `replayed`: libcurl may repeat a call without effect, and get its answer. `code` is one
# code, or those of different versions of libcurl.
Case = collections.namedtuple("Case", "how kind code send mails replayed")


def case(how, code, kind="transient", send="ambiguous", mails=1, replayed=False):
    return Case(how, kind, code, send, mails, replayed)


def raw(head, body=None, end=lambda exchange: exchange.cut()):
    """The effect, an unchanged head (LEN is the body's length), the body, an end."""
    def how(exchange):
        answer = exchange.effect()[2] if body is None else (exchange.effect(), body)[1]
        exchange.write(head.replace(b"LEN", b"%d" % len(answer)) + answer)
        end(exchange)
    return how


def body(make):
    """The effect, and a complete reply with make(the real body)."""
    return lambda exchange: exchange.reply(make(exchange.effect()[2]))


def status(line, *headers, text=b"{}"):
    return lambda exchange: (exchange.effect(), exchange.reply(text, line, headers))


def truncated(exchange):
    answer = exchange.effect()[2]
    exchange.reply(answer[:len(answer) // 2], length=len(answer))
    exchange.cut()


def reset_within(exchange):
    answer = exchange.effect()[2]
    exchange.reply(answer[:len(answer) // 2], length=len(answer))
    exchange.reset()


def many_continues(exchange):
    exchange.effect()
    while exchange.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100):
        pass


def with_member(value):
    return body(lambda answer: answer[:-1] + b',"p":' + value + b"}")


CUT, UNEXPECTED, BROKEN = "network_cut", "reply_unexpected", "reply_broken"
OK = b"HTTP/1.1 200 OK\r\n"

CUTS = {
    "cut before the effect": case(lambda x: x.cut(), CUT, mails=0, replayed=True),
    "reset before the effect": case(lambda x: x.reset(), CUT, mails=0, replayed=True),
    "cut after the effect": case(lambda x: (x.effect(), x.cut()), CUT, replayed=True),
    "reset after the effect": case(lambda x: (x.effect(), x.reset()), CUT, replayed=True),
    "cut in the status line": case(lambda x: (x.effect(), x.write(b"HTTP/1"), x.cut()), CUT,
                                   replayed=True),
    "cut in the headers": case(lambda x: (x.effect(), x.write(OK + b"Content-Ty"), x.cut()),
                               (UNEXPECTED, CUT)),
    "cut in the body": case(truncated, CUT),
    "reset in the body": case(reset_within, CUT),
    "cut after 100": case(raw(b"HTTP/1.1 100 Continue\r\n\r\n", b""), CUT),
    "cut in a chunk": case(raw(OK + b"Transfer-Encoding: chunked\r\n\r\n99\r\n", b"{}"), CUT),
}
BODIES = {
    "a page": case(raw(OK + b"Content-Type: text/html\r\nContent-Length: LEN\r\n\r\n",
                       b"<html>Please log in</html>"), UNEXPECTED),
    "an array": case(body(lambda _: b"[{}]"), UNEXPECTED),
    "a string": case(body(lambda _: b'"yes"'), UNEXPECTED),
    "null": case(body(lambda _: b"null"), UNEXPECTED),
    "nothing": case(body(lambda _: b""), UNEXPECTED),
    "members of the wrong type": case(body(lambda _: MALFORMED), UNEXPECTED),
    "half of it": case(body(lambda answer: answer[:len(answer) // 2]), UNEXPECTED),
    "two of it": case(body(lambda answer: answer + answer), UNEXPECTED),
    "a member twice": case(with_member(b'1,"p":2'), UNEXPECTED),
    "no UTF-8": case(with_member(b'"\xff\xfe"'), UNEXPECTED),
    "NUL": case(with_member(b'"\\u0000"'), UNEXPECTED),
    "too deep": case(with_member(b"[" * 50000 + b"]" * 50000), UNEXPECTED),
    "5 MB": case(with_member(b'"' + b"x" * 5_000_000 + b'"'), "reply_too_large"),
    "a gzip bomb": case(lambda x: (x.effect(), x.reply(gzip.compress(bytes(20_000_000), 1),
                                                       headers=["Content-Encoding: gzip"])),
                        UNEXPECTED),
}
LENGTHS = {
    "too long": case(lambda x: (x.reply(x.effect()[2], length=9999), x.cut()), CUT),
    "too short": case(lambda x: x.reply(x.effect()[2], length=3), UNEXPECTED),
    "negative": case(lambda x: x.reply(x.effect()[2], length=-5), BROKEN),
    "no number": case(lambda x: x.reply(x.effect()[2], length="many"), BROKEN),
    "no chunk": case(raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), BROKEN),
}
HEADS = {
    "a header of 1 MB": case(raw(OK + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n"), BROKEN),
    "10,000 headers": case(raw(OK + (b"X-Header: " + b"x" * 30 + b"\r\n") * 10_000 + b"\r\n"),
                           BROKEN),
    "NUL in a value": case(raw(OK + b"X: a\0b\r\nContent-Length: LEN\r\n\r\n"), BROKEN),
    "NUL in a name": case(raw(OK + b"Da\0te: a\r\nContent-Length: LEN\r\n\r\n"), BROKEN),
    "100 without end": case(many_continues, BROKEN),
    "status 0": case(raw(b"HTTP/1.1 000 No\r\nContent-Length: LEN\r\n\r\n"), BROKEN),
    "two digits": case(raw(b"HTTP/1.1 20 OK\r\nContent-Length: LEN\r\n\r\n"), BROKEN),
    "HTTP/0.9": case(raw(b""), BROKEN),
    "HTTP/4": case(raw(b"HTTP/4 200\r\nContent-Length: LEN\r\n\r\n"), BROKEN),
    "SSH": case(raw(b"SSH-2.0-OpenSSH_9.2\r\n", b""), BROKEN),
}
STATUSES = {
    "101": case(raw(b"HTTP/1.1 101 No\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), (UNEXPECTED, CUT)),
    "204": case(raw(b"HTTP/1.1 204 No\r\n\r\n", b""), UNEXPECTED),
    "206": case(status("206 Part", "Content-Range: bytes 0-1/9"), UNEXPECTED),
    "304": case(raw(b"HTTP/1.1 304 No\r\n\r\n", b""), "redirected", "setup"),
    "404 of somebody else": case(status("404 No", text=b"<html>"), "endpoint_unexpected", "setup"),
    "999": case(status("999 No"), "http_999"),
}
FINE = {
    "100 before it": lambda x: (x.write(b"HTTP/1.1 100 Continue\r\n\r\n"),
                                x.reply(x.effect()[2])),
    "103 before it": lambda x: (x.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
                                x.reply(x.effect()[2])),
    "HTTP/1.0 without a length": raw(b"HTTP/1.0 200 OK\r\n\r\n", end=lambda x: x.close()),
    "two lengths of which the last is right": lambda x: x.reply(x.effect()[2],
                                                                headers=["Content-Length: 3"]),
    "chunks and a length": lambda x: (lambda answer: x.write(
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(answer) +
        answer + b"\r\n0\r\n\r\n"))(x.effect()[2]),
}


class Broken(google_caller.Google):
    """One caller in front of a server whose next reply is broken."""

    make_wire = wire.Wire

    def setUp(self):
        super().setUp()
        self.wire = self.make_wire(self.google)
        self.addCleanup(self.wire.close)
        self.calling = self.caller(endpoint=self.wire.url, ca_file=self.wire.file("ca.pem"),
                                   timeout="1s")

    def ask(self, method, how, reused):
        """The reply to a call that meets `how`, and how many requests there were for it."""
        self.google.reset()
        self.google.accounts({"address": ALICE})
        harness.wait_for(lambda: self.calling.one("check", ALICE)["invitable"], "a good connection")
        if not reused:
            while not self.wire.ends.empty():
                self.wire.ends.get()
            self.wire.close_after = True
            self.calling.one("check", ALICE)
            self.wire.close_after = False
            self.wire.ends.get(timeout=harness.TIMEOUT)
        before = len(self.wire.requests)
        self.wire.break_next(how)
        reply = self.calling.one(method, ALICE if method != "list" else None, size=1)
        self.wire.break_next(None)
        return reply, len(self.wire.requests) - before

    def expect(self, name, broken, method, reused):
        where = f"{name}: {method} on a {'reused' if reused else 'new'} connection"
        reply, requests = self.ask(method, broken.how, reused)
        said = f"{where}: {reply['kind']} {reply['code']}: {reply['what']} {reply['remedy']}"
        if broken.replayed and method != "send" and reply["kind"] == "none":
            self.assertEqual(requests, 2, said)
            return
        kind = broken.send if method == "send" else broken.kind
        codes = broken.code if isinstance(broken.code, tuple) else (broken.code,)
        self.assertEqual(reply["kind"], kind, said)
        self.assertIn(reply["code"], codes, said)
        self.assertEqual(requests, 1, said)
        self.assertEqual(self.google.mailbox()["total"], broken.mails if method == "send" else 0,
                         said)
        self.assertFalse(reply["invitable"] or reply["shown"] or reply["confirmed"], said)
        if reply["code"] not in ("redirected", "endpoint_unexpected", "http_999"):
            self.assertIn(self.wire.url.split("//")[1], reply["what"])
            self.assertTrue(reply["remedy"], said)
        if method == "send":
            self.assertIn("is not known", reply["what"])

    def expect_all(self, cases, methods=("check", "send")):
        for name, broken in cases.items():
            for method in methods:
                for reused in (False, True):
                    self.expect(name, broken, method, reused)
        self.assertTrue(self.calling.one("check", ALICE)["invitable"])


class Wires(Broken):

    def test_a_connection_that_is_cut_is_for_later_and_a_send_unconfirmed(self):
        self.expect_all(CUTS, ("check", "get", "list", "send"))

    def test_a_check_survives_any_number_of_dead_connections(self):
        for name in ("cut before the effect", "cut after the effect"):
            for _ in range(8):
                self.expect(name, CUTS[name], "check", reused=True)
                self.assertEqual(self.ask("check", CUTS[name].how, True)[0]["kind"], "none")

    def test_a_body_that_is_not_the_promised_one_says_nothing(self):
        self.expect_all(BODIES)

    def test_a_wrong_length_is_a_broken_reply(self):
        self.expect_all(LENGTHS, ("check", "list", "send"))

    def test_a_reply_that_is_not_http_is_not_a_setup_error(self):
        self.expect_all(HEADS)

    def test_a_status_that_google_never_gives_leaves_a_send_unconfirmed(self):
        self.expect_all(STATUSES)

    def test_what_is_only_unusual_is_an_answer(self):
        for name, how in FINE.items():
            for reused in (False, True):
                self.assertTrue(self.ask("check", how, reused)[0]["invitable"], name)
                self.assertTrue(self.ask("send", how, reused)[0]["confirmed"], name)
                self.assertEqual(self.google.mailbox()["total"], 1, name)

    def test_a_redirection_is_not_followed_and_the_token_goes_nowhere(self):
        other = wire.Wire(self.google)
        self.addCleanup(other.close)
        for code in (301, 302, 303, 307, 308):
            for method, kind in (("check", "setup"), ("list", "setup"), ("send", "ambiguous")):
                reply, _ = self.ask(method, lambda x, code=code: x.reply(
                    b"", f"{code} Elsewhere", [f"Location: {other.url}{x.path}"]), True)
                self.assertEqual((reply["kind"], reply["code"]), (kind, "redirected"))
        self.assertEqual((other.connections, self.google.mailbox()["total"]), (0, 0))

    def test_what_drips_or_never_comes_is_given_up_in_time(self):
        slow = {"silence": lambda x: (x.effect(), x.silence(3)),
                "drops": lambda x: (x.effect(), x.drip([b"%c" % c for c in OK * 9])),
                "100 now and then": lambda x: (x.effect(),
                                               x.drip([b"HTTP/1.1 100 Continue\r\n\r\n"] * 99))}
        for name, how in slow.items():
            reply, requests = self.ask("send", how, True)
            self.assertEqual((reply["kind"], reply["code"], requests),
                             ("ambiguous", "network_timeout", 1), name)
        reply, _ = self.ask("check", slow["drops"], False)
        self.assertEqual((reply["kind"], reply["code"]), ("transient", "network_timeout"))


class Tokens(Broken):
    """The same at the token endpoint: a token is requested again, whatever happened."""

    def setUp(self):
        super().setUp()
        self.google.accounts({"address": ALICE})
        with open(self.google.file("credentials.json"), encoding="utf-8") as file:
            key = json.load(file)
        key["token_uri"] = self.wire.url + "/token"
        with open(self.google.file("credentials.json"), "w", encoding="utf-8") as file:
            json.dump(key, file)

    def minted(self, how):
        caller = self.caller(token_endpoint=self.wire.url + "/token", timeout="1s",
                             ca_file=self.wire.file("ca.pem"))
        self.wire.break_next(how, "/token")
        reply = caller.one("send", ALICE)
        self.wire.break_next(None)
        self.assertEqual(self.google.mailbox()["total"], 0, reply)
        return reply

    def test_a_broken_token_reply_is_for_later_and_sends_nothing(self):
        for cases in (CUTS, BODIES, LENGTHS, HEADS):
            for name, broken in cases.items():
                reply = self.minted(broken.how)
                self.assertEqual(reply["kind"], "transient", (name, reply))
                self.assertTrue(reply["what"] and reply["code"], (name, reply))


if __name__ == "__main__":
    harness.main()
