#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules that cannot apply on this host, and names that only look right: what `config --check` and `doctor` say, and
that no person is mailed by mistake meanwhile.
"""
import json
import os

import harness

LIDDELL = "alice.liddell@example.com"


class Rules(harness.NewSite):
    unmanaged = ("alice@example.com", LIDDELL, "bob@example.com")

    def setUp(self):
        super().setUp()
        self.google.accounts([{"address": address} for address in self.unmanaged])
        self.site.add_user("alice")
        self.site.add_user("bob")

    def check(self, code=0):
        done = self.site.run("config", "--check")
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return " ".join(done.stdout.split())

    def people(self, **settings):
        self.site.write_settings({"people": settings})

    def notes(self):
        found = self.site.json("config", "--check", "--json")
        self.assertEqual(found["findings"], [])
        return [(note["code"], note["message"], note["remedy"]) for note in found["notes"]]

    def doctor(self, code):
        said = json.loads(self.site.run("doctor", "--offline", "--json").stdout)
        return [step for step in said["steps"] if step["code"] == code]

    def mailed(self):
        return sorted(self.google.mailbox()["counts"])


class Names(Rules):
    def test_a_map_with_a_byte_order_mark_mails_nobody(self):
        for text in (f"\ufeffalice {LIDDELL}\r\nbob bob@example.com\r\n", "\ufeffalice -\n"):
            with self.subTest(text):
                self.site.write("etc/addresses.map", text)
                said = self.check(3)
                self.assertIn("addresses.map:1: the file begins with a byte order mark", said)
                self.assertIn("without a byte order mark", said)
                self.site.arrive("alice")
                self.site.collector_once()
                with self.assertRaisesRegex(AssertionError, "byte order mark"):
                    self.site.dispatcher_once()

    def test_an_invisible_character_is_named(self):
        for user, code in (("\u200balice", "U+200B"), ("al\u00adice", "U+00AD"), ("alice\u00a0", "U+00A0"),
                           ("\u0430lice", "U+0430")):
            with self.subTest(code):
                self.site.write("etc/addresses.map", f"bob bob@example.com\n{user} {LIDDELL}\n")
                self.assertIn(f"addresses.map:2: this line has {code}", self.check(3))

    def test_what_cannot_be_seen_is_shown(self):
        self.site.add_user("\u200balice")
        self.site.add_user("alice\u00a0")
        said = self.site.run("scan", "--dry-run").stdout
        self.assertIn(r"\xe2\x80\x8balice", said)
        self.assertIn(r"alice\xc2\xa0", said)
        done = self.site.run("check", "\ufeffalice@example.com")
        self.assertIn(r"\xef\xbb\xbfalice@example.com", done.stderr)


    def test_a_domain_that_is_not_ascii_is_told_its_other_form(self):
        self.assertIn("begins with xn--", " ".join(self.site.run("check", "x@m\u00fcller.example").stderr.split()))
        self.people(domains="m\u00fcller.example")
        self.assertIn("xn--mller-kva.example for m\u00fcller.example", self.check(3))


class Unmatched(Rules):
    def test_right_rules_have_no_notes(self):
        self.site.write("etc/addresses.map", f"Alice {LIDDELL}\nother-*:zoe zoe@example.com\n")
        self.people(exclude_users="bob svc-*", exclude_groups="users no-cloudinvite ext-*")
        self.assertIn("all settings are valid", self.check())
        self.assertEqual(self.notes(), [])

    def test_a_misspelt_user_of_the_map(self):
        self.site.write("etc/addresses.map", f"# map\naliec {LIDDELL}\n")
        said = self.check()
        self.assertIn("addresses.map:2: there is no user 'aliec' on this host", said)
        self.assertIn("Did you mean alice?", said)
        self.assertEqual(len(self.doctor("rule_unmatched")), 1)

    def test_a_misspelt_user_of_exclude_users(self):
        self.people(exclude_users="bbo zoe")
        self.assertEqual([message for _, message, _ in self.notes()],
                         ["exclude_users: there is no user 'bbo' on this host",
                          "exclude_users: there is no user 'zoe' on this host"])
        self.assertIn("Did you mean bob?", self.check())

    def test_a_misspelt_group(self):
        self.site.write("etc/group", "root:x:0:\ncontractors:x:500:alice\n")
        self.people(exclude_groups="contractros", include_groups="user")
        said = self.check()
        self.assertIn("exclude_groups: there is no group 'contractros' on this host Did you mean contractors?", said)
        self.assertIn("include_groups: there is no group 'user' on this host", said)

    def test_many_users_of_other_hosts_are_one_note(self):
        self.site.write("etc/addresses.map",
                        "".join(f"person{i:05} person{i}@example.com\n" for i in range(20000)))
        (code, message, _), = self.notes()
        self.assertEqual(code, "rule_unmatched")
        self.assertIn("20000 users do not exist on this host, such as 'person00000'", message)

    def test_an_address_on_another_domain(self):
        self.site.write("etc/addresses.map", "alice alice@exmaple.com\n")
        (code, message, remedy), = self.notes()
        self.assertEqual(code, "rule_foreign")
        self.assertIn("addresses.map:1: alice@exmaple.com is not in one of the organisation's domains", message)
        self.assertIn("example.com", remedy)


class Groups(Rules):
    def invite(self, user):
        self.site.arrive(user)
        self.site.collector_once()
        self.site.dispatcher_once()
        return self.mailed()

    def test_a_group_with_a_space_in_its_name_is_excluded(self):
        self.site.write("etc/group", "root:x:0:\ndomain guests:x:500:alice\nusers:x:100:\n")
        self.people(exclude_groups="domain guests")
        self.assertIn('Did you mean "domain guests"? A name with a space in it is written in quotation marks.',
                      self.check())
        for words in ('"domain guests"', "domain?guests"):
            self.people(exclude_groups=words)
            self.assertEqual(self.notes(), [])
            self.assertIn("in the group domain guests", self.site.run("scan", "--dry-run", "--json").stdout)
        self.assertEqual(self.invite("alice"), [])
        self.assertEqual(self.invite("bob"), ["bob@example.com"])

    def test_members_that_libc_cannot_read_mail_nobody(self):
        for line in ("no-cloudinvite:x:500:http:alice", "no-cloudinvite:x:500:bob alice"):
            self.site.write("etc/group", f"root:x:0:\n{line}\n")
            self.assertIn("etc/group:2: this line of a group that the settings name is broken", self.check(3))
            self.assertEqual(self.doctor("group_broken")[0]["result"], "bad")
        self.assertEqual(self.invite("alice"), [])

    def test_a_line_that_begins_with_blanks_counts(self):
        self.site.write("etc/group", "root:x:0:\n  no-cloudinvite:x:500:alice\n")
        self.assertEqual(self.invite("alice"), [])


class Uids(Rules):
    def test_people_above_max_uid_are_pointed_out(self):
        for i in range(3):
            self.site.add_user(f"high{i}", uid=100001 + i)
        self.site.add_user("nobody", uid=65534, shell="/usr/sbin/nologin")
        self.site.add_user("daemon", uid=100009, shell="/usr/sbin/nologin")
        finding, = self.doctor("above_max_uid")
        self.assertIn("3 accounts with a login shell above max_uid (60000), such as high0", finding["message"])
        self.assertIn("3 accounts with a login shell above max_uid", self.site.run("scan", "--dry-run").stdout)


if __name__ == "__main__":
    harness.main()
