#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The emulator does what is known of Google: the user invitations, over HTTP and without a client."""
import email.utils
import json
import time
import urllib.parse

import harness

FULL = "https://www.googleapis.com/auth/cloud-identity.userinvitations"
READONLY = FULL + ".readonly"
ALICE = "alice@example.com"
NOT_FOUND = {"error": {"code": 404, "message": "Requested entity was not found.",
                       "status": "NOT_FOUND"}}
DENIED = {"error": {"code": 403, "message": "The caller does not have permission",
                    "status": "PERMISSION_DENIED"}}
PRECONDITION = {"error": {"code": 400, "message": "Precondition check failed.",
                          "status": "FAILED_PRECONDITION"}}


class Google(harness.ResetEmulator):

    def setUp(self):
        super().setUp()
        self.token = self.mint()

    def mint(self, **wishes):
        return self.google.control("POST", "tokens", wishes)["access_token"]

    def later(self, duration):
        """Time passes, so the token would have ended."""
        self.google.advance(duration)
        self.token = self.mint()

    def ask(self, method, path, body=None, token=None):
        """One API request: (status, headers, JSON)."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        status, reply, text = self.google.request(method, path, body, headers)
        return status, reply, json.loads(text)

    def call(self, verb, address=ALICE, **more):
        """check, get, send or cancel: (status, JSON)."""
        method = "POST" if verb in ("send", "cancel") else "GET"
        colon = {"check": ":isInvitableUser", "get": ""}.get(verb, ":" + verb)
        path = f"/v1/customers/{more.pop('customer', 'C01234567')}/userinvitations/{address}{colon}"
        status, _, answer = self.ask(method, path, **more)
        return status, answer

    def page(self, **parameters):
        query = urllib.parse.urlencode(parameters)
        status, _, answer = self.ask("GET", f"/v1/customers/C01234567/userinvitations?{query}")
        return status, answer

    def listed(self, **parameters):
        """The addresses of one page, in its order."""
        status, answer = self.page(**parameters)
        self.assertEqual(status, 200, answer)
        return [one["name"].split("/")[-1] for one in answer.get("userInvitations", [])]

    def invitable(self, address):
        return self.call("check", address)[1]["isInvitableUser"]


class Eligibility(Google):

    def test_a_consumer_account_on_its_primary_address_is_invitable(self):
        self.google.accounts({"address": ALICE})
        self.assertEqual(self.call("check"), (200, {"isInvitableUser": True}))

    def test_no_other_account_is_invitable(self):
        self.google.accounts([
            {"address": "managed@example.com", "kind": "managed"},
            {"address": "alternate@example.com", "primary": False},
            {"address": "family@example.com", "family": True},
            {"address": "alias@alias.example.com"},
            {"address": "other@example.net"}])
        for address in ("managed@example.com", "alternate@example.com", "family@example.com",
                        "alias@alias.example.com", "other@example.net", "absent@example.com"):
            self.assertFalse(self.invitable(address), address)
            self.assertNotEqual(self.call("send", address)[0], 200, address)
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_family_members_are_invitable_by_switch(self):
        self.google.accounts({"address": ALICE, "family": True})
        self.google.switches({"family_invitable": True})
        self.assertTrue(self.invitable(ALICE))

    def test_false_can_be_left_out(self):
        self.google.switches({"omit_false": True})
        self.assertEqual(self.call("check"), (200, {}))
        self.google.accounts({"address": ALICE})
        self.assertEqual(self.call("check"), (200, {"isInvitableUser": True}))

    def test_essentials_does_not_support_the_check(self):
        self.google.accounts({"address": ALICE})
        self.google.switches({"essentials": True})
        self.assertEqual(self.call("check"), (400, PRECONDITION))
        self.google.switches({"essentials_error": 403})
        self.assertEqual(self.call("check"), (403, DENIED))


class FortyEightHours(Google):

    def test_get_and_list_hide_young_accounts_but_check_and_send_do_not(self):
        self.google.accounts({"address": ALICE, "created": "47h"})
        self.assertEqual(self.call("get"), (404, NOT_FOUND))
        self.assertEqual(self.listed(), [])
        self.assertTrue(self.invitable(ALICE))
        self.assertEqual(self.call("send")[0], 200)
        self.assertEqual(self.call("get")[0], 404)
        self.later("1h")
        self.assertEqual(self.call("get")[1]["state"], "INVITED")
        self.assertEqual(self.listed(), [ALICE])

    def test_old_unmanaged_accounts_are_shown_without_having_been_invited(self):
        self.google.accounts({"address": ALICE, "created": "48h"})
        status, invitation = self.call("get")
        self.assertEqual((status, invitation["state"], invitation["mailsSentCount"]),
                         (200, "NOT_YET_SENT", "0"))

    def test_a_newly_verified_domain_hides_its_accounts_too(self):
        self.google.state({"customer": {"domains": [{"name": "example.com", "verified": "1h"}]},
                           "accounts": [{"address": ALICE, "created": "100d"}]})
        self.assertEqual(self.call("get")[0], 404)
        self.later("46h")
        self.assertEqual(self.call("get")[0], 404)
        self.later("1h")
        self.assertEqual(self.call("get")[0], 200)

    def test_the_clock_is_the_date_of_every_reply(self):
        self.google.clock({"now": "2030-02-03T04:05:06Z"})
        _, headers, _ = self.ask("GET", "/v1/nothing")
        date = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
        self.assertAlmostEqual(date, 1896321906, delta=5)
        self.google.clock({"real": True})
        _, headers, _ = self.ask("GET", "/v1/nothing")
        date = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
        self.assertAlmostEqual(date, time.time(), delta=5)


class SendAndCancel(Google):

    def setUp(self):
        super().setUp()
        self.google.accounts({"address": ALICE})

    def test_every_send_mails(self):
        for number in ("1", "2", "3"):
            status, operation = self.call("send", body="{}")
            self.assertEqual((status, operation["done"]), (200, True))
            self.assertEqual(operation["response"]["mailsSentCount"], number)
        self.assertEqual(self.google.mailbox()["counts"], {ALICE: 3})
        self.assertEqual([mail["number"] for mail in self.google.mailbox()["mails"]], [1, 2, 3])

    def test_an_empty_body_and_an_empty_object_are_the_same(self):
        for body in (None, "", "{}", " { } "):
            self.assertEqual(self.call("send", body=body)[0], 200, body)

    def test_any_other_body_is_refused_and_sends_no_mail(self):
        for body in ('{"force":true}', "[]", "1", "{", "\xff"):
            status, answer = self.call("send", body=body.encode("latin-1"))
            self.assertEqual((status, answer["error"]["status"]), (400, "INVALID_ARGUMENT"), body)
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_update_time_is_the_emulators_clock(self):
        self.google.clock({"now": "2031-01-01T00:00:00Z"})
        self.token = self.mint()
        _, operation = self.call("send")
        self.assertTrue(operation["response"]["updateTime"].startswith("2031-01-01T00:00:0"))
        self.assertTrue(operation["response"]["updateTime"].endswith("Z"))

    def test_operations_come_in_every_shape(self):
        shapes = {"pending": {"name", "done"}, "missing_done": {"name"}, "empty": set(),
                  "done": {"name", "done", "response"}, "error": {"name", "done", "error"}}
        for shape, members in shapes.items():
            self.google.switches({"operation": shape})
            status, operation = self.call("send")
            self.assertEqual((status, set(operation)), (200, members), shape)
        self.assertEqual(self.google.mailbox()["total"], 4, "the one with the error did not mail")

    def test_a_managed_or_accepted_account_is_not_mailed(self):
        self.call("send")
        self.google.accept(ALICE)
        self.assertEqual(self.call("send"), (400, PRECONDITION))
        self.google.switches({"send_managed": 409})
        self.assertEqual(self.call("send")[0], 409)
        self.assertEqual(self.call("get")[1]["state"], "ACCEPTED")
        self.assertFalse(self.invitable(ALICE))

    def test_not_invitable_is_400_or_404(self):
        self.assertEqual(self.call("send", "nobody@example.com"), (400, PRECONDITION))
        self.google.switches({"send_not_invitable": 404})
        self.assertEqual(self.call("send", "nobody@example.com"), (404, NOT_FOUND))

    def test_after_a_decline_send_mails_again_unless_switched_off(self):
        self.call("send")
        self.google.decline(ALICE)
        self.assertEqual(self.call("get")[1]["state"], "DECLINED")
        self.google.switches({"send_declined": 400})
        self.assertEqual(self.call("send"), (400, PRECONDITION))
        self.google.switches({"send_declined": 200})
        self.assertEqual(self.call("send")[0], 200)

    def test_cancel_takes_back_and_keeps_the_count(self):
        self.call("send")
        status, operation = self.call("cancel", body="{}")
        self.assertEqual((status, operation["response"]["state"],
                          operation["response"]["mailsSentCount"]), (200, "NOT_YET_SENT", "1"))
        with self.assertRaises(AssertionError):
            self.google.accept(ALICE)

    def test_cancel_of_nothing_is_400_or_404(self):
        self.assertEqual(self.call("cancel"), (400, PRECONDITION))
        self.google.switches({"cancel_not_sent": 404})
        self.assertEqual(self.call("cancel"), (404, NOT_FOUND))


class Names(Google):

    def test_the_path_is_decoded_once(self):
        self.google.accounts({"address": "a+b@example.com"})
        for spelling in ("a+b@example.com", "a%2Bb@example.com", "a%2bb%40example.com",
                         "A%2BB@Example.COM"):
            self.assertTrue(self.invitable(spelling), spelling)
        self.assertFalse(self.invitable("a%252Bb@example.com"))

    def test_what_is_not_an_address_is_refused(self):
        for address in ("alice", "@example.com", "alice@", "a@b@c", "a%2Fb@example.com",
                        "a%zz@example.com", "a%00@example.com", "a%0Ab@example.com"):
            self.assertEqual(self.call("check", address)[0], 400, address)

    def test_everything_else_is_404(self):
        path = "/v1/customers/C01234567/userinvitations/" + ALICE
        for method, other in (("GET", "/batch"), ("POST", "/batch"), ("GET", "/"),
                              ("GET", "/v1/operations/1"), ("GET", "/v2" + path[3:]),
                              ("GET", path + ":unknown"), ("GET", path + "/x"),
                              ("GET", "/v1/customers//userinvitations"), ("GET", "/token"),
                              ("GET", "/v1/customers/C01234567/userinvitations/"),
                              ("POST", path + "%3Asend"), ("POST", path),
                              ("GET", path + ":send"),
                              ("POST", path + ":isInvitableUser")):
            status, _, answer = self.ask(method, other)
            self.assertEqual((status, answer), (404, NOT_FOUND), (method, other))

    def test_another_method_can_be_405(self):
        self.google.switches({"method_mismatch": 405})
        self.assertEqual(self.call("check", body=None)[0], 200)
        status, _, _ = self.ask("POST", f"/v1/customers/C01234567/userinvitations/{ALICE}")
        self.assertEqual(status, 405)

    def test_unknown_parameters_are_refused(self):
        path = f"/v1/customers/C01234567/userinvitations/{ALICE}:isInvitableUser"
        self.assertEqual(self.ask("GET", path + "?alt=json&prettyPrint=false&%24.xgafv=2")[0], 200)
        self.assertEqual(self.ask("GET", path + "?pageSize=1")[0], 400)


class Listing(Google):

    def setUp(self):
        super().setUp()
        self.google.accounts([
            {"address": "d@example.com", "state": "DECLINED", "updated": "1h"},
            {"address": "b@example.com", "state": "INVITED", "updated": "4h"},
            {"address": "c@example.com", "state": "ACCEPTED", "kind": "managed", "updated": "3h"},
            {"address": "a@example.com", "updated": "2h"},
            {"address": "managed@example.com", "kind": "managed"}])

    def test_the_default_order_is_by_email(self):
        by_email = [f"{letter}@example.com" for letter in "abcd"]
        by_update = [f"{letter}@example.com" for letter in "bcad"]
        orders = {"": by_email, "email": by_email, "email asc": by_email,
                  "email desc": by_email[::-1], "update_time": by_update,
                  "update_time asc": by_update, "update_time desc": by_update[::-1],
                  "updateTime desc": by_update[::-1]}
        for order, expected in orders.items():
            self.assertEqual(self.listed(orderBy=order), expected, order)

    def test_filters(self):
        filters = {"state=='invited'": "b", "state=='INVITED'": "b", 'state=="Invited"': "b",
                   "state!='accepted'": "abd", "state == 'accepted' || state == 'declined'": "cd",
                   "state=='accepted'||state=='declined'": "cd", "state=='not_yet_sent'": "a",
                   "state=='state_unspecified'": ""}
        for text, expected in filters.items():
            self.assertEqual([one[0] for one in self.listed(filter=text)], list(expected), text)

    def test_what_is_wrong_is_an_invalid_argument(self):
        for parameters in ({"filter": "state=='wrong'"}, {"filter": "email=='x'"},
                           {"filter": "state=='invited' && state=='invited'"},
                           {"filter": "state=invited"}, {"filter": "state=='invited"},
                           {"filter": "state=='invited'||"}, {"orderBy": "name"},
                           {"orderBy": "email up"}, {"orderBy": "email,update_time"},
                           {"pageSize": "-1"}, {"pageSize": "many"}, {"pageToken": "nonsense"},
                           {"unknown": "1"}):
            status, answer = self.page(**parameters)
            self.assertEqual((status, answer["error"]["status"]), (400, "INVALID_ARGUMENT"),
                             parameters)

    def test_pages_hold_100_by_default_and_200_at_most(self):
        self.google.accounts({"prefix": "user", "count": 500, "domain": "example.com"})
        for size, expected in ((None, 100), ("0", 100), ("7", 7), ("200", 200), ("5000", 200)):
            parameters = {} if size is None else {"pageSize": size}
            self.assertEqual(len(self.listed(**parameters)), expected, size)

    def test_a_page_token_is_bound_to_the_other_parameters(self):
        status, first = self.page(pageSize=2, orderBy="email desc")
        token = first["nextPageToken"]
        self.assertEqual(status, 200)
        self.assertEqual(self.listed(pageSize=2, orderBy="email desc", pageToken=token),
                         ["b@example.com", "a@example.com"])
        for other in ({"pageSize": 3, "orderBy": "email desc"}, {"pageSize": 2},
                      {"pageSize": 2, "orderBy": "email desc", "filter": "state!='invited'"}):
            self.assertEqual(self.page(pageToken=token, **other)[0], 400, other)

    def test_pages_neither_shift_nor_repeat_when_people_come_meanwhile(self):
        self.google.accounts({"prefix": "user", "count": 30, "domain": "example.com"})
        for order in ("email", "email desc", "update_time", "update_time desc"):
            found, token = [], ""
            while True:
                _, answer = self.page(pageSize=7, orderBy=order, pageToken=token)
                found += [one["name"] for one in answer["userInvitations"]]
                self.google.accounts({"address": f"aa{len(found)}@example.com", "created": "1h"})
                token = answer.get("nextPageToken")
                if not token:
                    break
            self.assertEqual(len(found), 34, order)
            self.assertEqual(len(set(found)), 34, order)

    def test_an_empty_list_is_an_empty_object_or_an_empty_array(self):
        self.google.control("DELETE", "accounts")
        self.assertEqual(self.page(), (200, {}))
        self.google.switches({"omit_empty": False})
        self.assertEqual(self.page(), (200, {"userInvitations": []}))


class Callers(Google):

    def setUp(self):
        super().setUp()
        self.google.accounts({"address": ALICE})

    def test_without_a_valid_token_it_is_401(self):
        for header in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"},
                       {"Authorization": self.token}):
            status, headers, text = self.google.request(
                "GET", f"/v1/customers/C01234567/userinvitations/{ALICE}", headers=header)
            error = json.loads(text)["error"]
            self.assertEqual((status, error["status"]), (401, "UNAUTHENTICATED"), header)
            self.assertTrue(error["message"].startswith(
                "Request had invalid authentication credentials. Expected OAuth 2 access token"))
            self.assertIn("Bearer", headers["WWW-Authenticate"])

    def test_a_token_ends_with_its_lifetime(self):
        self.google.advance("3598s")
        self.assertEqual(self.call("get")[0], 200)
        self.google.advance("2s")
        self.assertEqual(self.call("get")[0], 401)

    def test_the_readonly_scope_reads_and_cannot_send(self):
        token = self.mint(scopes=READONLY)
        self.assertEqual(self.call("check", token=token)[0], 200)
        self.assertEqual(self.call("get", token=token)[0], 200)
        for verb, method in (("send", "SendUserInvitation"), ("cancel", "CancelUserInvitation")):
            status, answer = self.call(verb, token=token)
            self.assertEqual((status, answer["error"]["message"]),
                             (403, "Request had insufficient authentication scopes."))
            info = answer["error"]["details"][0]
            self.assertEqual(info["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
            self.assertTrue(info["metadata"]["method"].endswith("." + method))
        self.assertEqual(self.google.mailbox()["total"], 0)

    def test_insufficient_scope_names_the_scope_in_www_authenticate(self):
        token = self.mint(scopes="https://www.googleapis.com/auth/cloud-platform")
        status, headers, _ = self.ask(
            "GET", "/v1/customers/C01234567/userinvitations", token=token)
        self.assertEqual(status, 403)
        self.assertIn('error="insufficient_scope"', headers["WWW-Authenticate"])
        self.assertIn(FULL, headers["WWW-Authenticate"])

    def test_only_a_super_administrator_may(self):
        for principal in ("helpdesk@example.com", "stranger@example.com"):
            self.assertEqual(self.call("check", token=self.mint(principal=principal)),
                             (403, DENIED))

    def test_my_customer_is_the_users_and_a_service_account_has_none(self):
        self.assertEqual(self.call("get", customer="my_customer")[0], 200)
        token = self.mint(principal="robot@x.iam.gserviceaccount.com", service_account=True)
        for customer in ("my_customer", "C01234567"):
            self.assertEqual(self.call("get", customer=customer, token=token), (403, DENIED))

    def test_another_customer_is_403_or_400(self):
        for customer in ("C99999999", "01234567", "c01234567"):
            self.assertEqual(self.call("get", customer=customer), (403, DENIED), customer)
        self.google.switches({"foreign_customer": 400})
        self.assertEqual(self.call("get", customer="C99999999")[0], 400)

    def test_a_disabled_api_says_where_to_enable_it(self):
        self.google.switches({"api_disabled": True})
        status, answer = self.call("check")
        error = answer["error"]
        self.assertEqual((status, error["status"]), (403, "PERMISSION_DENIED"))
        self.assertTrue(error["message"].startswith(
            "Cloud Identity API has not been used in project 123456789012 before or it is disabled."))
        self.assertEqual([detail.get("reason") for detail in error["details"]],
                         [None, "SERVICE_DISABLED"])

    def test_old_errors_can_be_had_too(self):
        self.google.switches({"legacy_errors": True})
        error = self.call("get", "nobody@example.com")[1]["error"]
        self.assertEqual(error["errors"], [{"message": error["message"], "domain": "global",
                                            "reason": "notFound"}])


class Quota(Google):

    def test_any_minute_holds_so_many_requests(self):
        self.google.accounts({"address": ALICE})
        self.google.quota({"per_minute": 3})
        self.assertEqual([self.call("check")[0] for _ in range(5)], [200, 200, 200, 429, 429])
        status, answer = self.call("send")
        self.assertEqual((status, answer["error"]["status"]), (429, "RESOURCE_EXHAUSTED"))
        self.assertTrue(answer["error"]["message"].startswith("Quota exceeded for quota metric '"))
        self.assertEqual(self.google.mailbox()["total"], 0)
        self.google.advance("61s")
        self.assertEqual(self.call("check")[0], 200)

    def test_the_other_form_is_a_403_with_the_old_reason(self):
        self.google.quota({"per_minute": 1, "form": "403", "retry_after": 30})
        self.call("check")
        status, headers, answer = self.ask(
            "GET", f"/v1/customers/C01234567/userinvitations/{ALICE}")
        self.assertEqual((status, headers["Retry-After"]), (403, "30"))
        self.assertEqual((answer["error"]["status"], answer["error"]["errors"][0]["reason"]),
                         ("PERMISSION_DENIED", "rateLimitExceeded"))

    def test_a_clock_set_back_frees_it(self):
        self.google.quota({"per_minute": 1})
        self.assertEqual(self.call("check")[0], 200)
        self.google.advance("-50m")
        self.assertEqual(self.call("check")[0], 200)


if __name__ == "__main__":
    harness.main()
