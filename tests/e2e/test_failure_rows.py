#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Shows I13 (docs/design.md, "Invariants").
"""The known refusals of Google, from an emulated Google to the real client: the kind, the word for scripts, the
sentence for readers, and the person that the dispatcher charges.
"""
import glob
import json
import os
import re

import harness
from google_caller import Google

TRANSIENT, SETUP, REJECTED, AMBIGUOUS = "transient", "setup", "rejected", "ambiguous"
HTML = "<html><head><title>502 Bad Gateway</title></head></html>"

# status, error, description, subtype: kind, code
TOKEN = [
    ((400, "invalid_grant", "Invalid JWT Signature."), SETUP, "token_key_unknown"),
    ((400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
      "reasonable timeframe. Check your iat and exp values in the JWT claim."),
     SETUP, "token_clock_skew"),
    ((400, "invalid_grant", "Invalid JWT: No valid verifier found for issuer"),
     SETUP, "token_issuer_unknown"),
    ((400, "invalid_grant", "Account not found"), SETUP, "token_account_unknown"),
    ((400, "invalid_grant", "Not a valid email or user ID."), SETUP, "token_subject_unknown"),
    ((400, "invalid_grant", "Invalid email or User ID"), SETUP, "token_subject_unknown"),
    ((400, "invalid_grant", "Not a valid email"), SETUP, "token_subject_unknown"),
    ((400, "invalid_grant", "The account has been deleted"), SETUP, "token_subject_deleted"),
    ((400, "invalid_request", "Invalid impersonation &quot;sub&quot; field"),
     SETUP, "token_subject_deleted"),
    ((400, "invalid_request", "Invalid impersonation prn email address"),
     SETUP, "token_subject_unknown"),
    ((401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this "
      "method, or client not authorized for any of the scopes requested."),
     SETUP, "token_delegation_missing"),
    ((401, "unauthorized_client", "Unauthorized client or scope in request"),
     SETUP, "token_delegation_missing"),
    ((403, "access_denied", "Requested client not authorized."), SETUP, "token_access_denied"),
    ((403, "access_denied", "Account restricted"), SETUP, "token_access_denied"),
    ((400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."),
     SETUP, "token_scope_refused"),
    ((400, "invalid_account", "Forbidden"), SETUP, "token_account_refused"),
    ((400, "unsupported_grant_type", "Invalid grant_type"), SETUP, "token_refused"),
    ((400, "internal_failure", "Backend Error"), TRANSIENT, "token_server"),
    ((400, "internal_failure", "None"), TRANSIENT, "token_server"),
    ((400, "server_error", ""), TRANSIENT, "token_server"),
    ((400, "temporarily_unavailable", ""), TRANSIENT, "token_server"),
    ((500, "internal_failure", ""), TRANSIENT, "token_server"),
    ((503, "invalid_grant", "Bad Request"), TRANSIENT, "token_server"),
    ((429, "rate_limit", "Slow down"), TRANSIENT, "token_server"),
]

NO_TOKEN_ENDPOINT = [(403, "<html>Log in to the guest network</html>", SETUP),
                     (404, "", SETUP), (200, "<html>Welcome</html>", TRANSIENT),
                     (502, HTML, TRANSIENT), (408, "", TRANSIENT)]


def error(code, message, status=None, **more):
    """A body of the API with these parts."""
    inside = {"code": code, "message": message, **more}
    return json.dumps({"error": dict(inside, status=status) if status else inside})


def info(reason, **metadata):
    return {"details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
                         "domain": "googleapis.com", "metadata": metadata}]}


def legacy(reason, domain="global"):
    return {"errors": [{"message": "x", "domain": domain, "reason": reason}]}


DENIED = error(403, "The caller does not have permission", "PERMISSION_DENIED")
QUOTA = "Quota exceeded for quota metric 'M' and limit 'M per minute' of service " \
    "'cloudidentity.googleapis.com' for consumer 'project_number:7'."

# status, body: kind of a check, kind of a send, code
API = [
    (401, error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED"),
     SETUP, SETUP, "token_not_accepted"),
    (403, error(403, "Request had insufficient authentication scopes.", "PERMISSION_DENIED",
                **info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")), SETUP, SETUP, "scope_insufficient"),
    (403, error(403, "Insufficient Permission", **legacy("insufficientPermissions")),
     SETUP, SETUP, "scope_insufficient"),
    (403, error(403, "x", "PERMISSION_DENIED", **info("SERVICE_DISABLED", consumer="projects/7")),
     SETUP, SETUP, "api_disabled"),
    (403, error(403, "Cloud Identity API has not been used in project 7 before"),
     SETUP, SETUP, "api_disabled"),
    (403, error(403, "x", **legacy("accessNotConfigured", "usageLimits")),
     SETUP, SETUP, "api_disabled"),
    (403, error(403, "x", "PERMISSION_DENIED", **info("USER_PROJECT_DENIED")),
     SETUP, SETUP, "quota_project"),
    (403, error(403, "x", "PERMISSION_DENIED", **info("CONSUMER_INVALID")),
     SETUP, SETUP, "quota_project"),
    (403, error(403, "Your application requires a quota project"), SETUP, SETUP, "quota_project"),
    (403, error(403, "Request is prohibited by organization's policy. "
                "vpcServiceControlsUniqueIdentifier: A", "PERMISSION_DENIED"),
     SETUP, SETUP, "service_perimeter"),
    (429, error(429, QUOTA, "RESOURCE_EXHAUSTED"), TRANSIENT, TRANSIENT, "quota"),
    (403, error(403, QUOTA, "PERMISSION_DENIED"), TRANSIENT, TRANSIENT, "quota"),
    (403, error(403, "x", **legacy("rateLimitExceeded", "usageLimits")), TRANSIENT, TRANSIENT, "quota"),
    (403, "Request rate higher than configured", TRANSIENT, TRANSIENT, "quota"),
    (429, "quota exceeded for quota metric", TRANSIENT, TRANSIENT, "quota"),
    (503, error(503, "Quota exceeded for the current request"), TRANSIENT, AMBIGUOUS, "quota"),
    (403, DENIED, REJECTED, REJECTED, "permission_denied"),
    (404, error(404, "Requested entity was not found.", "NOT_FOUND"), REJECTED, REJECTED, "not_found"),
    (400, error(400, "Request contains an invalid argument.", "INVALID_ARGUMENT"),
     REJECTED, REJECTED, "invalid_argument"),
    (400, error(400, "Precondition check failed.", "FAILED_PRECONDITION"),
     REJECTED, REJECTED, "failed_precondition"),
    (409, error(409, "x", "ALREADY_EXISTS"), REJECTED, REJECTED, "already_exists"),
    (412, error(412, "x"), REJECTED, REJECTED, "http_412"),
    (500, error(500, "Internal error encountered.", "INTERNAL"), TRANSIENT, AMBIGUOUS, "internal"),
    (503, error(503, "The service is currently unavailable.", "UNAVAILABLE"),
     TRANSIENT, AMBIGUOUS, "unavailable"),
    (502, HTML, TRANSIENT, AMBIGUOUS, "http_502"),
    (504, "Gateway Timeout", TRANSIENT, AMBIGUOUS, "http_504"),
    (408, "", TRANSIENT, AMBIGUOUS, "http_408"),
    (404, "<html>Not Found</html>", SETUP, AMBIGUOUS, "endpoint_unexpected"),
]

# google.rpc.Code of an Operation: kind
OPERATION = {1: AMBIGUOUS, 2: AMBIGUOUS, 3: REJECTED, 4: AMBIGUOUS, 5: REJECTED, 6: REJECTED,
             7: REJECTED, 8: TRANSIENT, 9: REJECTED, 10: REJECTED, 11: REJECTED, 12: SETUP, 13: AMBIGUOUS,
             14: AMBIGUOUS, 15: AMBIGUOUS, 16: SETUP, 99: AMBIGUOUS}


class Rows(Google):
    def say(self, route, status, body, **more):
        self.google.clear_faults()
        self.google.faults(dict(more, route=route, status=status, body=body, times=0))

    def assert_reply(self, reply, kind, code):
        self.assertEqual((reply["kind"], reply["code"]), (kind, code), reply["what"])
        self.assertNotIn("alice", reply["what"] + reply["remedy"])
        self.assertGreater(len(reply["remedy"]), 20, reply)
        self.assertRegex(reply["remedy"], r"(\.|ADDRESS)$", "it is cut off")

    def test_every_refusal_of_a_token(self):
        caller = self.caller()
        for (status, word, text), kind, code in TOKEN:
            self.say("token", status, json.dumps({"error": word, "error_description": text}))
            reply = caller.one("check", "alice@example.com")
            with self.subTest(f"{word}: {text}"):
                self.assert_reply(reply, kind, code)
                self.assertIn(word, reply["what"])
        self.assertEqual(self.google.stats()["check"], 0)
        self.google.clear_faults()
        self.assertEqual(caller.one("check", "alice@example.com")["kind"], "none")

    def test_a_server_that_is_not_a_token_endpoint(self):
        caller = self.caller()
        for status, body, kind in NO_TOKEN_ENDPOINT:
            self.say("token", status, body)
            reply = caller.one("send", "alice@example.com")
            with self.subTest(f"{status} {body}"):
                self.assertEqual(reply["kind"], kind)
                self.assertIn("/token", reply["what"])

    def test_every_refusal_of_a_call(self):
        caller = self.caller()
        for status, body, checked, sent, code in API:
            for method, kind in (("check", checked), ("send", sent), ("cancel", checked)):
                self.say(method, status, body)
                reply = caller.one(method, "alice@example.com")
                with self.subTest(f"{method} {status} {body}"):
                    self.assert_reply(reply, kind, code)
                    self.assertEqual(reply["status"], status)
                    self.assertEqual(reply["quota"], code == "quota")
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_no_person_is_in_question_where_the_list_is_refused(self):
        caller = self.caller()
        for status, body, checked, _, code in API:
            self.say("list", status, body)
            reply = caller.one("list", size=1)
            with self.subTest(f"{status} {body}"):
                self.assert_reply(reply, SETUP if checked == REJECTED else checked, code)

    def test_a_challenge_alone_tells_that_the_scope_is_missing(self):
        self.say("check", 403, DENIED, headers={
            "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", '
                                'error="insufficient_scope", scope="x"'})
        self.assert_reply(self.caller().one("check", "alice@example.com"), SETUP,
                          "scope_insufficient")

    def test_how_long_to_wait_is_passed_on(self):
        caller = self.caller()
        for status, body in ((429, error(429, QUOTA, "RESOURCE_EXHAUSTED")),
                             (503, error(503, "x", "UNAVAILABLE")),
                             (403, error(403, QUOTA, "PERMISSION_DENIED"))):
            self.say("check", status, body, headers={"Retry-After": "17"})
            self.assertEqual(caller.one("check", "alice@example.com")["retry_after"], 17)

    def test_every_code_of_an_operation(self):
        caller = self.caller()
        for code, kind in OPERATION.items():
            self.say("send", 200, json.dumps({
                "name": "operations/1", "done": True,
                "error": {"code": code, "message": "no", "details": []}}))
            reply = caller.one("send", "alice@example.com")
            with self.subTest(code):
                self.assertEqual(reply["kind"], kind)
                self.assertFalse(reply["confirmed"])
                self.assertGreater(len(reply["remedy"]), 20)

    def test_a_fresh_token_is_tried_once_before_it_is_a_setup_fault(self):
        self.google.faults({"route": "check", "status": 401, "times": 1,
                            "body": error(401, "x", "UNAUTHENTICATED")})
        self.assertEqual(self.caller().one("check", "alice@example.com")["kind"], "none")
        self.assertEqual((self.tokens_minted(), self.google.stats()["check"]), (2, 2))


class Charged(harness.Test):
    """Which person is charged for a refusal of Google."""

    def setUp(self):
        self.google = harness.Emulator().__enter__()
        self.addCleanup(self.google.__exit__)
        self.site = harness.Site(self.google).__enter__()
        self.addCleanup(self.site.__exit__)

    def arrive(self, *users):
        for user in users:
            self.google.accounts({"address": user + "@example.com"})
            self.site.arrive_account(user)
        self.site.collector_once()

    def deny(self, route, **more):
        self.google.faults(dict({"times": 0}, route=route, status=403, body=DENIED, **more))

    def status(self):
        report = self.site.json("status", "--json", "--all")
        people = {one["address"].split("@")[0]: one["state"] for one in report["people"]}
        return people, report["service"]["pause"]

    def test_a_refusal_is_the_persons_where_the_control_call_passes(self):
        self.arrive("alice", "bob")
        self.deny("check", address="alice@example.com")
        self.site.dispatcher_once()
        people, pause = self.status()
        self.assertEqual((people, pause), ({"alice": "failed", "bob": "invited"}, None))
        self.assertEqual(self.google.stats()["list"], 1)
        story = self.site.run("explain", "alice@example.com").stdout
        self.assertIn("does not have permission", story)
        # Fixed, and resumed by the administrator.
        self.google.clear_faults()
        self.assertEqual(self.site.run("retry", "alice@example.com").returncode, 0)
        self.site.dispatcher_once()
        self.assertEqual(self.status()[0]["alice"], "invited")
        self.assertEqual(set(self.google.mailbox()["counts"].values()), {1})

    def test_it_is_a_setup_fault_where_the_control_call_is_refused_too(self):
        self.arrive("alice", "bob")
        self.deny("check")
        self.deny("list")
        self.site.dispatcher_once()
        people, pause = self.status()
        self.assertEqual(people, {"alice": "queued", "bob": "queued"})
        self.assertEqual(pause["kind"], "setup")
        # An administrator who restarts it wants to know at once whether it is fixed.
        self.google.clear_faults()
        self.site.dispatcher_once()
        people, pause = self.status()
        self.assertEqual((people, pause), ({"alice": "invited", "bob": "invited"}, None))

    def test_five_people_refused_alike_trip_the_breaker_and_are_not_charged(self):
        self.arrive("a", "b", "c", "d", "e", "f")
        self.deny("check")
        self.site.dispatcher_once()
        people, pause = self.status()
        self.assertEqual(set(people.values()), {"queued"})
        self.assertEqual(pause["kind"], "breaker")
        self.google.clear_faults()
        self.site.dispatcher_once()
        self.assertEqual(self.google.mailbox()["total"], 0)
        self.assertEqual(self.site.run("resume").returncode, 0)
        self.site.dispatcher_once()
        self.assertEqual(set(self.google.mailbox()["counts"].values()), {1})
        self.assertEqual(self.google.mailbox()["total"], 6)

    def test_a_refused_token_pauses_and_charges_no_person(self):
        self.arrive("alice")
        self.google.faults({"route": "token", "status": 401, "times": 0, "body": json.dumps({
            "error": "unauthorized_client", "error_description": "Client is unauthorized"})})
        self.site.dispatcher_once()
        people, pause = self.status()
        self.assertEqual((people, pause["kind"]), ({"alice": "queued"}, "setup"))
        self.assertIn("domain-wide delegation is missing", pause["reason"])
        headline = self.site.run("status").stdout
        self.assertIn("client id", " ".join(headline.split()))


class Manual(harness.Test):
    """docs/errors.md and the program's tables have the same codes."""

    # Words in the tables that are not codes: Google's own, and names with blanks.
    OTHERS = set("""
        access_denied admin_policy_enforced bad_request deleted_client disallowed_useragent
        insufficient_scope internal_failure invalid_account invalid_client invalid_grant
        invalid_rapt invalid_request invalid_scope invalid_target org_internal rapt_required
        redirect_uri_mismatch server_error temporarily_unavailable unauthorized_client
        unsupported_grant_type client_id key_id error_description error_subtype
        """.split())

    def codes_of_the_program(self):
        """Every string in the tables of failures that could be a code."""
        found = set()
        for path in glob.glob(os.path.join(harness.SOURCE, "common/google/**/errors*.c"), recursive=True):
            with open(path, encoding="utf-8") as file:
                source = re.sub(r"#include.*", "", file.read())
            found |= set(re.findall(r'"([a-z0-9]+(?:_[a-z0-9]+)+)"', source))
        return found - self.OTHERS

    def documented(self):
        """{code: kind} of the tables."""
        with open(os.path.join(harness.SOURCE, "docs/errors.md"), encoding="utf-8") as file:
            rows = [line.split("|") for line in file if line.startswith("| `")]
        return {code: row[2].strip() for row in rows for code in re.findall("`([a-z0-9_]+)`", row[1])
                if len(row) == 6}

    def test_every_code_of_the_program_is_in_the_manual(self):
        self.assertEqual(self.codes_of_the_program() - set(self.documented()), set())

    def test_every_code_of_the_manual_is_in_the_program(self):
        sources = ""
        for path in glob.glob(os.path.join(harness.SOURCE, "common/google/**/*.[ch]"), recursive=True):
            with open(path, encoding="utf-8") as file:
                sources += file.read()
        self.assertEqual({code for code in self.documented() if f'"{code}"' not in sources}, set())

    def test_the_kinds_are_those_that_the_rows_have(self):
        manual = self.documented()
        rows = [(kind, code) for _, kind, code in TOKEN] + \
            [(checked, code) for _, _, checked, _, code in API if not code.startswith("http_")]
        self.assertEqual([(kind, code) for kind, code in rows if manual[code] != kind], [])


if __name__ == "__main__":
    harness.main()
