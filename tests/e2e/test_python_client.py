#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Another client: the one on Google's setup page (google-auth with a service account and a subject, googleapiclient
with the discovery document) drives the emulator through all five methods of v1 and v1beta1. Its requests are compared
with those of cloudinvite.
"""
import base64
import json
import os
import urllib.parse

import google_auth_httplib2
import httplib2
from google.oauth2 import service_account
from googleapiclient import discovery, errors

import harness

SCOPE = "https://www.googleapis.com/auth/cloud-identity.userinvitations"
VERSIONS = ("v1", "v1beta1")
WHO = "a+b@example.com"  # the + shows whether it is encoded once
PEOPLE = 450             # three pages


def credentials(google):
    return service_account.Credentials.from_service_account_file(
        google.file("credentials.json"), scopes=[SCOPE]).with_subject(google.subject)


def invitations(google, version):
    """customers().userinvitations() of the Python client, pointed at the emulator."""
    path = os.path.join(harness.HERE, "discovery", f"cloudidentity.{version}.json")
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    document["rootUrl"] = document["baseUrl"] = google.url + "/"
    http = google_auth_httplib2.AuthorizedHttp(
        credentials(google), http=httplib2.Http(ca_certs=google.file("ca.pem")))
    return discovery.build_from_document(document, http=http).customers().userinvitations()


def name(google, address=WHO):
    return f"customers/{google.customer}/userinvitations/{address}"


def list_all(google, api, **parameters):
    """Every page, as the Python client walks them."""
    found = []
    request = api.list(parent=f"customers/{google.customer}", **parameters)
    while request is not None:
        page = request.execute()
        found += page.get("userInvitations", [])
        request = api.list_next(request, page)
    return found


class PythonClient(harness.ResetEmulator):
    """The emulator is a Google that the Python client can work with."""

    def each_version(self):
        for version in VERSIONS:
            self.google.reset()
            self.google.accounts({"address": WHO, "created": "72h"})
            yield invitations(self.google, version)
            paths = {entry["path"].split("/")[1] for entry in self.google.log()}
            self.assertEqual(paths, {"token", version})

    def test_isInvitableUser_says_who_can_be_invited(self):
        for api in self.each_version():
            self.assertEqual(api.isInvitableUser(name=name(self.google)).execute(),
                             {"isInvitableUser": True})
            self.assertEqual(
                api.isInvitableUser(name=name(self.google, "nobody@example.com")).execute(),
                {"isInvitableUser": False})

    def test_get_shows_the_state(self):
        for api in self.each_version():
            reply = api.get(name=name(self.google)).execute()
            self.assertEqual((reply["name"], reply["state"], reply["mailsSentCount"]),
                             (name(self.google), "NOT_YET_SENT", "0"))
            with self.assertRaises(errors.HttpError) as caught:
                api.get(name=name(self.google, "nobody@example.com")).execute()
            self.assertEqual(caught.exception.resp.status, 404)

    def test_list_gives_every_person_once_over_its_pages(self):
        for api in self.each_version():
            self.google.accounts({"prefix": "user", "count": PEOPLE, "domain": "example.com"})
            found = list_all(self.google, api, pageSize=200)
            self.assertEqual(len(found), PEOPLE + 1)
            self.assertEqual(len({one["name"] for one in found}), PEOPLE + 1)
            self.assertEqual(len(self.google.log(route="list")), 3)

    def test_list_takes_filter_and_order(self):
        for api in self.each_version():
            self.google.accounts([
                {"address": "x@example.com", "state": "INVITED", "updated": "5h"},
                {"address": "y@example.com", "state": "INVITED", "updated": "9h"}])
            found = list_all(self.google, api, filter="state=='invited'", orderBy="update_time desc")
            self.assertEqual([one["name"].split("/")[-1] for one in found],
                             ["x@example.com", "y@example.com"])

    def test_send_mails_once(self):
        for api in self.each_version():
            reply = api.send(name=name(self.google), body={}).execute()
            self.assertEqual((reply["done"], reply["response"]["state"]), (True, "INVITED"))
            self.assertEqual(self.google.mailbox()["counts"], {WHO: 1})

    def test_send_without_a_body_mails_too(self):
        for api in self.each_version():
            api.send(name=name(self.google)).execute()
            self.assertEqual(self.google.log(route="send")[0]["body"], "")
            self.assertEqual(self.google.mailbox()["total"], 1)

    def test_cancel_takes_an_invitation_back(self):
        for api in self.each_version():
            api.send(name=name(self.google), body={}).execute()
            reply = api.cancel(name=name(self.google), body={}).execute()
            self.assertEqual(reply["response"]["state"], "NOT_YET_SENT")
            with self.assertRaises(errors.HttpError):
                api.cancel(name=name(self.google), body={}).execute()

    def test_one_token_serves_all_calls(self):
        for api in self.each_version():
            for _ in range(3):
                api.get(name=name(self.google)).execute()
            self.assertEqual(len(self.google.log(route="token")), 1)
            self.assertEqual({entry["principal"] for entry in self.google.log(route="get")},
                             {self.google.subject})


def plain(entry):
    """A request independent of its spelling: the path decoded once, defaults left out, no body and {} equal, page
    tokens only as such.
    """
    query = dict(urllib.parse.parse_qsl(entry["query"] or "", keep_blank_values=True))
    if query.get("alt") == "json":
        del query["alt"]
    if "filter" in query:
        query["filter"] = query["filter"].replace(" ", "").lower()
    if "pageToken" in query:
        query["pageToken"] = "…"
    return {"method": entry["method"], "path": urllib.parse.unquote(entry["path"]), "query": query,
            "body": json.loads(entry["body"] or "{}"), "authorization": entry["authorization"],
            "principal": entry["principal"], "status": entry["status"]}


def segment(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def assertion(entry):
    """The token request of a client, without times."""
    form = dict(urllib.parse.parse_qsl(entry["body"]))
    header, claims = (segment(part.rstrip("=")) for part in form["assertion"].split(".")[:2])
    return {"method": entry["method"], "path": entry["path"], "grant_type": form["grant_type"],
            "content_type": entry["content_type"].split(";")[0], "header": header,
            "iss": claims["iss"], "sub": claims["sub"], "scope": claims["scope"],
            "authorization": entry["authorization"], "status": entry["status"]}


class SameAsCloudinvite(harness.ResetEmulator):
    """cloudinvite sends what the Python client sends."""

    def sent(self, route, do, *accounts):
        """The request that `do` made to that route, with the same state each time."""
        self.google.reset()
        for account in accounts:
            self.google.accounts(account)
        do()
        return self.google.log(route=route)

    def compare(self, route, verb, call, *accounts, exit_code=0):
        """The Python client's `call` against the `verb` of the command line, in both versions."""
        for version in VERSIONS:
            def command(version=version):
                with harness.Site(self.google, {"google": {"api_version": version}}) as site:
                    done = site.run(*verb)
                    self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)

            with self.subTest(version=version):
                theirs = self.sent(route, lambda: call(invitations(self.google, version)), *accounts)
                self.assertTrue(theirs)
                ours = self.sent(route, command, *accounts)
                self.assertEqual([plain(entry) for entry in ours],
                                 [plain(entry) for entry in theirs])

    def test_check(self):
        self.compare("check", ["check", WHO],
                     lambda api: api.isInvitableUser(name=name(self.google)).execute(),
                     {"address": WHO})

    def test_check_of_an_address_that_is_not_invitable(self):
        self.compare("check", ["check", WHO],
                     lambda api: api.isInvitableUser(name=name(self.google)).execute(),
                     exit_code=1)

    def test_get(self):
        self.compare("get", ["get", WHO],
                     lambda api: api.get(name=name(self.google)).execute(), {"address": WHO})

    def test_list_over_three_pages(self):
        self.compare("list", ["list", "--json"],
                     lambda api: list_all(self.google, api, pageSize=200),
                     {"prefix": "user", "count": PEOPLE, "domain": "example.com"})

    def test_list_with_filter_and_order(self):
        self.compare("list", ["list", "--state", "invited", "--order-by", "update_time desc",
                              "--json"],
                     lambda api: list_all(self.google, api, pageSize=200,
                                          filter="state=='invited'", orderBy="update_time desc"),
                     {"prefix": "user", "count": 250, "domain": "example.com", "state": "INVITED"})

    def test_send(self):
        self.compare("send", ["send", WHO],
                     lambda api: api.send(name=name(self.google), body={}).execute(),
                     {"address": WHO})

    def test_cancel(self):
        self.compare("cancel", ["cancel", WHO],
                     lambda api: api.cancel(name=name(self.google), body={}).execute(),
                     {"address": WHO, "state": "INVITED", "mails": 1})

    def test_the_token_is_asked_for_in_the_same_way(self):
        def command():
            with harness.Site(self.google) as site:
                site.run("check", WHO)

        def call():
            invitations(self.google, "v1").isInvitableUser(name=name(self.google)).execute()

        theirs, ours = self.sent("token", call), self.sent("token", command)
        self.assertEqual([assertion(entry) for entry in ours],
                         [assertion(entry) for entry in theirs])


if __name__ == "__main__":
    harness.main()
