#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Google through a proxy, and without it."""
import os
import subprocess

import harness
from google_caller import Google
from proxy import Authority, Proxy

USER, PASSWORD = "DOM\\me", "p@ss:w%rd/ü?#"
EVIL = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
HOST_UNREACHABLE, NOT_ALLOWED = 4, 2


class Proxied(Google):
    """A caller through a proxy; the proxy and the caller end with the test."""

    def proxy(self, *arguments, **more):
        proxy = Proxy(*arguments, **more)
        self.addCleanup(proxy.__exit__)
        return proxy.__enter__()

    def authority(self, **more):
        authority = Authority(**more)
        self.addCleanup(authority.__exit__)
        return authority

    def ready(self):
        """A caller with a token, so that the call is the first that a proxy sees."""
        caller = self.caller()
        self.assertEqual(caller.one("list", size=1)["kind"], "none")
        return caller

    def here(self):
        return f"127.0.0.1:{self.google.port}"


class Through(Proxied):
    def test_every_kind_of_proxy_leads_to_google_with_its_login(self):
        for scheme in ("http", "https", "socks5", "socks5h"):
            with self.subTest(scheme):
                more, tls = {}, None
                if scheme == "https":
                    tls = self.authority()
                    more["ca_file"] = tls.trusted_with(self.google.file("ca.pem"))
                proxy = self.proxy(scheme, login=(USER, PASSWORD), tls=tls)
                caller = self.caller(proxy=proxy.url_for(USER, PASSWORD), **more)
                reply = caller.one("list", size=1)
                self.assertEqual(reply["kind"], "none", reply["what"])
                # Once for the token, once for the call.
                self.assertEqual(proxy.asked, [self.here()] * 2)
                self.assertEqual(proxy.logins, [(USER, PASSWORD)] * 2)

    def test_socks5h_leaves_the_name_to_the_proxy(self):
        proxy = self.proxy("socks5h", lead=self.here())
        caller = self.ready().again(proxy=proxy.url, endpoint="https://nowhere.invalid")
        self.assertEqual(caller.one("list", size=1)["code"], "tls_untrusted")
        self.assertEqual(proxy.asked, ["nowhere.invalid:443"])

    def test_the_environments_proxies_are_not_used_and_its_no_proxy_is_none(self):
        evil, ours = self.proxy(), self.proxy()
        for more in ({}, {"proxy": ours.url}):
            caller = self.caller(**more)
            caller.environment.update({name: evil.url for name in EVIL})
            caller.environment.update(NO_PROXY="*", no_proxy="*")
            self.assertEqual(caller.one("list", size=1)["kind"], "none")
        self.assertEqual(evil.connections, 0)
        self.assertEqual(ours.asked, [self.here()] * 2)

    def test_the_environments_authorities_are_not_trusted(self):
        caller = self.caller(ca_file="")
        caller.environment.update(SSL_CERT_FILE=self.google.file("ca.pem"),
                                  CURL_CA_BUNDLE=self.google.file("ca.pem"),
                                  SSL_CERT_DIR=self.google.directory)
        self.assertEqual(caller.one("list", size=1)["code"], "tls_untrusted")


class Past(Proxied):
    def test_hosts_of_no_proxy_are_asked_directly(self):
        for names in ("127.0.0.1", "other.example.com 127.0.0.1", "other.example.com,127.0.0.1",
                      "other.example.com\n    127.0.0.1"):
            proxy = self.proxy(refuse=403)
            caller = self.caller(proxy=proxy.url, no_proxy=names)
            self.assertEqual(caller.one("list", size=1)["kind"], "none", names)
            self.assertEqual(proxy.asked, [], names)

    def test_others_are_not(self):
        for names in ("127.0.0.2", "7.0.0.1", "0.0.1", "localhost", ".example.com", "::1"):
            proxy = self.proxy(refuse=403)
            caller = self.caller(proxy=proxy.url, no_proxy=names)
            self.assertEqual(caller.one("list", size=1)["code"], "proxy_refused", names)
            self.assertEqual(proxy.asked, [self.here()], names)

    def test_a_domain_means_itself_and_what_is_below_it(self):
        where = f"https://api.localhost:{self.google.port}"
        caller = self.ready()
        for names, past in (("localhost", True), (".localhost", True), ("api.localhost", True),
                            ("LOCALHOST", True), ("pi.localhost", False),
                            ("x.api.localhost", False), ("local", False)):
            proxy = self.proxy(refuse=403)
            caller.again(proxy=proxy.url, no_proxy=names, endpoint=where).one("list", size=1)
            self.assertEqual(proxy.asked == [], past, names)

    def test_an_ipv6_address_may_stand_in_brackets(self):
        caller = self.ready()
        for names, past in (("::1", True), ("[::1]", True), ("::2", False)):
            proxy = self.proxy(refuse=403)
            caller.again(proxy=proxy.url, no_proxy=names, endpoint="https://[::1]:1")
            self.assertEqual(caller.one("list", size=1)["code"],
                             "network_connect" if past else "proxy_refused")
            self.assertEqual(proxy.asked, [] if past else ["[::1]:1"], names)


class Refusing(Proxied):
    def assert_secret(self, *texts):
        for text in texts:
            self.assertNotIn(PASSWORD, text)
            self.assertNotIn("p%40ss", text)
            self.assertNotIn("w%25rd", text)

    def test_a_missing_or_wrong_login_is_reported_without_the_password(self):
        for scheme in ("http", "socks5"):
            for url in ("url", "wrong"):
                with self.subTest(scheme + " " + url):
                    proxy = self.proxy(scheme, login=("me", "other"))
                    where = proxy.url if url == "url" else proxy.url_for(USER, PASSWORD)
                    caller = self.caller(proxy=where)
                    reply = caller.one("list", size=1)
                    self.assertEqual((reply["kind"], reply["code"]), ("setup", "proxy_refused"))
                    self.assertIn("password", reply["what"])
                    self.assertIn("USER:PASSWORD@", reply["remedy"])
                    self.assert_secret(reply["what"], reply["remedy"], caller.said())

    def test_the_password_is_shown_nowhere(self):
        proxy = self.proxy(login=(USER, PASSWORD))
        caller = self.caller(proxy=proxy.url_for(USER, PASSWORD))
        self.assertEqual(caller.one("list", size=1)["kind"], "none")
        with open(f"/proc/{caller.process.pid}/cmdline", encoding="utf-8") as file:
            self.assert_secret(file.read())
        with open(f"/proc/{caller.process.pid}/environ", encoding="utf-8") as file:
            self.assert_secret(file.read())
        for verb in (["config"], ["config", "--check"], ["token"], ["list"]):
            done = subprocess.run([os.path.join(harness.BUILD, "cloudinvite"), "-c", caller.conf,
                                   *verb], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False, timeout=harness.TIMEOUT)
            self.assert_secret(done.stdout)
            if verb == ["config"]:
                self.assertIn("***@" + proxy.address, done.stdout)
        self.assert_secret(caller.said())
        for name in os.listdir(caller.tokens):
            with open(os.path.join(caller.tokens, name), encoding="utf-8") as file:
                self.assert_secret(file.read())

    def test_a_refused_connection_is_surely_no_mail(self):
        self.google.accounts({"address": "alice@example.com"})
        for scheme, refuse, kind in (("http", 403, "setup"), ("http", 302, "setup"),
                                     ("http", 502, "transient"), ("http", 503, "transient"),
                                     ("socks5", NOT_ALLOWED, "setup"),
                                     ("socks5", HOST_UNREACHABLE, "transient")):
            with self.subTest(f"{scheme} {refuse}"):
                proxy = self.proxy(scheme, refuse=refuse)
                reply = self.ready().again(proxy=proxy.url).one("send", "alice@example.com")
                self.assertEqual(reply["kind"], kind, reply["what"])
                self.assertIn(reply["code"], ("proxy_refused", "network_proxy"))
                self.assertIn("proxy", reply["what"])
                self.assertTrue(reply["remedy"])
                self.assertEqual(proxy.asked, [self.here()])
        self.assertEqual(self.google.mailbox()["total"], 0)
        self.assertEqual(self.google.stats()["send"], 0)

    def test_a_silent_proxy_is_waited_for_until_the_timeout(self):
        self.google.accounts({"address": "alice@example.com"})
        proxy = self.proxy(hang=True)
        reply = self.ready().again(proxy=proxy.url, timeout="1s") \
            .one("send", "alice@example.com")
        self.assertEqual((reply["kind"], reply["code"]), ("transient", "network_timeout"))
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_a_proxy_that_is_not_there_is_for_later(self):
        proxy = Proxy()
        proxy.socket.close()
        reply = self.ready().again(proxy=proxy.url).one("send", "alice@example.com")
        self.assertEqual((reply["kind"], reply["code"]), ("transient", "network_connect"))
        self.assertIn("proxy", reply["remedy"])

    def test_a_proxy_that_looks_into_tls_gets_nothing_to_see(self):
        proxy = self.proxy(inspect=self.authority())
        caller = self.ready().again(proxy=proxy.url)
        for method in ("check", "send"):
            reply = caller.one(method, "alice@example.com")
            self.assertEqual((reply["kind"], reply["code"]), ("setup", "tls_untrusted"))
            self.assertIn("ca_file", reply["remedy"])
        self.assertEqual(proxy.heard, b"")

    def test_a_proxy_whose_authority_the_settings_name_may_look_into_tls(self):
        authority = self.authority()
        proxy = self.proxy(inspect=authority)
        self.caller(proxy=proxy.url, ca_file=authority.certificate).one("list", size=1)
        self.assertTrue(proxy.heard.startswith(b"POST /token"), proxy.heard)

    def test_a_proxys_own_certificate_must_be_trusted_and_its_own(self):
        for name, trusted in (("IP:127.0.0.1", False), ("IP:127.0.0.2", True)):
            authority = self.authority(name=name)
            proxy = self.proxy("https", tls=authority)
            more = {"ca_file": authority.trusted_with(self.google.file("ca.pem"))} if trusted \
                else {}
            reply = self.caller(proxy=proxy.url, **more).one("list", size=1)
            self.assertEqual((reply["kind"], reply["code"]), ("setup", "proxy_untrusted"))
            self.assertIn("ca_file", reply["remedy"])
            self.assertEqual(proxy.asked, [])

    def test_a_proxy_of_another_kind_is_called_that(self):
        proxy = self.proxy("http")
        reply = self.caller(proxy="socks5://" + proxy.address, timeout="2s").one("list", size=1)
        self.assertIn(reply["kind"], ("setup", "transient"))
        self.assertTrue(reply["remedy"])


if __name__ == "__main__":
    harness.main()
