#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""--prepare: root makes the directories of services that it does not trust."""
import os
import pwd
import shutil
import stat
import subprocess
import tempfile

import harness

COLLECTOR, DISPATCHER, LEDGER = (pwd.getpwnam(name) for name in ("daemon", "bin", "games"))
STRANGER = 4242
PLACES = ("spool", "state", "tokens", "run")
PATHS = ("spool", "spool/new", "spool/seen", "spool/bad", "state", "state/collector",
         "state/private", "tokens", "run")


class Prepare(harness.Test):

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="cloudinvite-prepare.")
        self.addCleanup(shutil.rmtree, self.root)
        os.chmod(self.root, 0o755)
        self.conf = self.path("conf")
        self.settings()

    def path(self, name):
        return os.path.join(self.root, name)

    def settings(self, collector=COLLECTOR.pw_name, **places):
        names = {name: self.path(name) for name in PLACES}
        names.update(places)
        names["ledger"] = "sqlite:" + names["state"] + "/ledger.db"
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write("[storage]\n" + "".join(f"{k} = {v}\n" for k, v in names.items())
                       + f"[worker]\ncollector_user = {collector}\n"
                       f"dispatcher_user = {DISPATCHER.pw_name}\n"
                       f"ledger_user = {LEDGER.pw_name}\n")
            os.fchown(file.fileno(), 0, LEDGER.pw_gid)  # so its rights stay too
            os.fchmod(file.fileno(), 0o644)

    def run_it(self, program="cloudinvite-collector", **more):
        return subprocess.run([os.path.join(harness.BUILD, program), "-c", self.conf,
                               "--prepare"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, **more)

    def prepare(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 0, done.stdout)

    def refuse(self, word, code=8):
        """It must end with 8, say why, and leave the tree unchanged."""
        before = self.tree()
        done = self.run_it()
        self.assertEqual(done.returncode, code, done.stdout)
        self.assertIn(word, done.stdout)
        changed = {path: look for path, look in before.items() if self.tree().get(path) != look}
        self.assertEqual(changed, {})

    def look(self, path):
        status = os.lstat(path)
        return stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), status.st_uid, \
            status.st_gid

    def tree(self):
        return {os.path.join(directory, name): self.look(os.path.join(directory, name))
                for directory, folders, files in os.walk(self.root) for name in folders + files}

    def places(self):
        return {name: self.look(self.path(name))[1:] for name in PATHS}


class Makes(Prepare):
    wanted = {"spool": (0o700, 0, 0), "spool/new": (0o700, 0, 0),
              "spool/seen": (0o700, 0, 0), "spool/bad": (0o700, 0, 0),
              "state": (0o3770, 0, LEDGER.pw_gid),
              "state/collector": (0o700, COLLECTOR.pw_uid, COLLECTOR.pw_gid),
              "state/private": (0o700, DISPATCHER.pw_uid, DISPATCHER.pw_gid),
              "tokens": (0o700, DISPATCHER.pw_uid, DISPATCHER.pw_gid),
              "run": (0o750, 0, LEDGER.pw_gid)}
    files = {"state/ledger.db": (0o660, 0, LEDGER.pw_gid),
             "run/machine": (0o644, 0, 0),
             "run/collector.lock": (0o600, COLLECTOR.pw_uid, COLLECTOR.pw_gid),
             "run/collector.wake": (0o640, COLLECTOR.pw_uid, LEDGER.pw_gid),
             "run/dispatcher.lock": (0o600, DISPATCHER.pw_uid, DISPATCHER.pw_gid),
             "run/dispatcher.wake": (0o640, DISPATCHER.pw_uid, LEDGER.pw_gid),
             "run/commands.wake": (0o640, LEDGER.pw_uid, LEDGER.pw_gid)}

    def test_every_file_with_owner_and_mode(self):
        self.prepare()
        found = {os.path.relpath(path, self.root): look[1:]
                 for path, look in self.tree().items() if stat.S_ISREG(look[0])}
        del found["conf"]
        self.assertEqual(found, self.files)

    def test_every_directory_with_owner_and_mode(self):
        self.prepare()
        self.assertEqual(self.places(), self.wanted)

    def test_a_loose_umask_makes_no_difference(self):
        for mask in (0, 0o777):
            done = self.run_it(umask=mask)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(self.places(), self.wanted)
            for name in PLACES:
                shutil.rmtree(self.path(name))

    def test_both_programs_make_the_same_and_twice_is_once(self):
        self.prepare()
        before = self.tree()
        for program in ("cloudinvite-dispatcher", "cloudinvite-collector"):
            self.assertEqual(self.run_it(program).returncode, 0)
            self.assertEqual(self.tree(), before)

    def test_repairs_modes_and_takes_empty_directories_of_roots(self):
        self.prepare()
        os.chmod(self.path("spool/new"), 0o777)
        os.chmod(self.path("state"), 0o755)
        os.chown(self.path("tokens"), 0, 0)
        self.prepare()
        self.assertEqual(self.places(), self.wanted)

    def test_directories_above_are_made_as_roots(self):
        self.settings(state=self.path("a/b/c/state"))
        self.prepare()
        self.assertEqual(self.look(self.path("a/b/c"))[1:], (0o755, 0, 0))
        self.assertEqual(self.look(self.path("a/b/c/state"))[1:], self.wanted["state"])

    def test_a_link_of_roots_on_the_way_is_followed(self):
        os.mkdir(self.path("disk"))
        os.chmod(self.path("disk"), 0o755)
        os.symlink("disk", self.path("data"))
        self.settings(state=self.path("data/state"))
        self.prepare()
        self.assertEqual(self.look(self.path("disk/state"))[1:], self.wanted["state"])

    def test_what_lies_in_the_directories_of_the_accounts_stays(self):
        self.prepare()
        for name in ("spool/new/alice.login", "spool/seen/bob", "spool/bad/rubbish",
                     "state/collector/host", "state/private/login.json", "tokens/last-mail",
                     "state/ledger.db-wal"):
            with open(self.path(name), "w", encoding="utf-8"):
                os.chown(self.path(name), STRANGER, STRANGER)
        before = self.tree()
        self.prepare()
        self.assertEqual(self.tree(), before)
        self.assertEqual(self.places(), self.wanted)


class OldSpool(Prepare):
    """The spool before there was a keeper: open to the service, which owned the markers."""

    def setUp(self):
        super().setUp()
        self.prepare()
        os.chmod(self.path("spool"), 0o755)
        self.give("spool/new", 0o770, 0)
        self.give("spool/seen", 0o700, COLLECTOR.pw_uid)
        self.give("spool/bad", 0o700, COLLECTOR.pw_uid)
        self.put("new/alice.login", "", 0, 1234567890)
        self.put("seen/bob", "invited\n", COLLECTOR.pw_uid, 1300000000)
        self.put("seen/carol%2Fx", "seen", COLLECTOR.pw_uid)
        self.put("seen/.ledger", "0123456789abcdef0123456789abcdef", COLLECTOR.pw_uid)

    def give(self, name, mode, uid):
        os.chown(self.path(name), uid, COLLECTOR.pw_gid)
        os.chmod(self.path(name), mode)

    def put(self, name, content, uid, when=None):
        path = self.path("spool/" + name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o600)
            os.fchown(file.fileno(), uid, COLLECTOR.pw_gid)
        if when:
            os.utime(path, (when, when))

    def content(self, box):
        found = {}
        for name in os.listdir(self.path("spool/" + box)):
            path = self.path(f"spool/{box}/{name}")
            self.assertEqual(self.look(path), (stat.S_IFREG, 0o600, 0, 0), name)
            self.assertEqual(os.lstat(path).st_nlink, 1)
            with open(path, encoding="utf-8") as file:
                found[name] = file.read()
        return found

    def expect_taken_over(self):
        self.assertEqual(self.places(), Makes.wanted)
        self.assertEqual(self.content("new"), {"alice.login": ""})
        self.assertEqual(self.content("seen"), {
            "bob": "invited", "carol%2Fx": "seen", ".ledger": "0123456789abcdef0123456789abcdef"})
        self.assertEqual(self.content("bad"), {})
        self.assertEqual(os.stat(self.path("spool/new/alice.login")).st_mtime, 1234567890)
        self.assertEqual(os.stat(self.path("spool/seen/bob")).st_mtime, 1300000000)
        self.assertEqual(sorted(os.listdir(self.path("spool"))), ["bad", "new", "seen"])

    def test_arrivals_and_marks_are_made_again_as_roots(self):
        inodes = {name: os.stat(self.path("spool/" + name)).st_ino
                  for name in ("new", "seen", "bad", "seen/bob", "new/alice.login")}
        self.prepare()
        self.expect_taken_over()
        for name, inode in inodes.items():
            self.assertNotEqual(os.stat(self.path("spool/" + name)).st_ino, inode, name)

    def test_what_the_service_has_planted_is_left_behind(self):
        secret = self.path("secret")
        with open(secret, "w", encoding="utf-8"):
            os.chmod(secret, 0o600)
        seen, new = self.path("spool/seen/"), self.path("spool/new/")
        os.symlink(secret, seen + "mallory")
        os.link(secret, seen + "hard")
        os.mkfifo(seen + "fifo")
        os.mkdir(seen + "folder")
        os.symlink("/etc", self.path("spool/bad/link"))
        self.put("seen/words", "two words", COLLECTOR.pw_uid)
        self.put("seen/UPPER", "INVITED", COLLECTOR.pw_uid)
        self.put("seen/%61lice", "seen", COLLECTOR.pw_uid)
        self.put("seen/long", "x" * 65, COLLECTOR.pw_uid)
        self.put("new/mine.login", "", COLLECTOR.pw_uid)
        self.put("new/no arrival", "", 0)
        os.symlink(secret, new + "link.login")
        self.prepare()
        self.expect_taken_over()
        self.assertEqual(self.look(secret), (stat.S_IFREG, 0o600, 0, 0))

    def test_cut_off_anywhere_it_is_finished_the_next_time(self):
        for last in ("fresh", "old"):
            with self.subTest(last):
                os.rename(self.path("spool/seen"), self.path(f"spool/.{last}-seen"))
                os.rename(self.path("spool/new"), self.path(f"spool/.{last}-new"))
                self.prepare()
                self.expect_taken_over()
                shutil.rmtree(self.path("spool"))
                self.setUp()

    def test_a_second_time_nothing_changes(self):
        self.prepare()
        before = self.tree()
        self.prepare()
        self.assertEqual(self.tree(), before)


class Refuses(Prepare):

    def test_a_link_a_file_or_a_foreign_directory_in_place_of_one(self):
        self.prepare()
        os.mkdir(self.path("bait"), 0o755)
        plants = (lambda path: os.symlink(self.path("bait"), path),
                  lambda path: os.symlink("/etc", path),
                  lambda path: os.symlink(self.path("nowhere"), path),
                  lambda path: os.close(os.open(path, os.O_CREAT)),
                  os.mkfifo,
                  lambda path: (os.mkdir(path), os.chown(path, STRANGER, STRANGER)))
        for name in PATHS:
            for number, plant in enumerate(plants):
                with self.subTest(name, plant=number):
                    path = self.path(name)
                    os.rename(path, self.path("away"))
                    plant(path)
                    self.refuse(path)
                    if stat.S_ISDIR(os.lstat(path).st_mode):
                        os.rmdir(path)
                    else:
                        os.unlink(path)
                    os.rename(self.path("away"), path)
        self.assertEqual(os.stat("/etc").st_uid, 0)
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_a_place_in_a_directory_that_another_user_can_change(self):
        for owner, mode in ((STRANGER, 0o755), (DISPATCHER.pw_uid, 0o755), (0, 0o777), (0, 0o775),
                            (0, 0o1775)):
            for below in ("state", "deeper/state"):
                with self.subTest(owner=owner, mode=mode, below=below):
                    os.makedirs(self.path("loose/deeper"))
                    os.chmod(self.path("loose/deeper"), 0o755)
                    os.chmod(self.path("loose"), mode)
                    os.chown(self.path("loose"), owner, STRANGER)
                    self.settings(state=self.path("loose/" + below))
                    self.refuse("can be changed by")
                    shutil.rmtree(self.path("loose"))

    def test_a_link_that_the_worker_planted_on_the_way(self):
        self.prepare()
        os.mkdir(self.path("bait"), 0o755)
        os.symlink(self.path("bait"), self.path("state/link"))
        os.lchown(self.path("state/link"), COLLECTOR.pw_uid, COLLECTOR.pw_gid)
        for place in ("state/tokens", "state/collector/tokens"):
            self.settings(tokens=self.path(place))
            self.refuse("can be changed by")

    def test_a_link_that_others_can_change_leads_nowhere_whatever_its_target(self):
        """Even if the whole target is root's: another account chose it."""
        self.prepare()
        os.mkdir(self.path("bait"), 0o755)
        os.mkdir(self.path("sticky"))
        os.chmod(self.path("sticky"), 0o1777)
        os.mkdir(self.path("theirs"), 0o755)
        for name in ("sticky/theirs", "theirs/link", "sticky/roots", "roots"):
            os.symlink(self.path("bait"), self.path(name))
        for name in ("sticky/theirs", "theirs/link", "theirs"):
            os.chown(self.path(name), COLLECTOR.pw_uid, COLLECTOR.pw_gid, follow_symlinks=False)
        os.symlink(self.path("theirs/link"), self.path("through"))
        for place in ("sticky/theirs", "theirs/link", "sticky/roots", "through"):
            for key in PLACES:
                with self.subTest(place=place, key=key):
                    self.settings(**{key: self.path(place + "/below/" + key)})
                    self.refuse("can be changed by")
        self.assertEqual(os.listdir(self.path("bait")), [])
        os.lchown(self.path("roots"), COLLECTOR.pw_uid, COLLECTOR.pw_gid)
        self.settings(tokens=self.path("roots/tokens"))
        self.refuse("can be changed by")

    def test_links_of_roots_to_links_up_and_in_a_circle(self):
        os.makedirs(self.path("disk/deep"))
        os.symlink("../disk/deep", self.path("disk/up"))
        os.symlink(self.path("disk/up"), self.path("one"))
        os.symlink("one/", self.path("two"))
        self.settings(state=self.path("two/../deep/.//state"))
        self.prepare()
        self.assertEqual(self.look(self.path("disk/deep/state"))[1:], (0o3770, 0, LEDGER.pw_gid))
        os.symlink("circle", self.path("circle"))
        self.settings(tokens=self.path("circle/tokens"))
        self.refuse("circle")

    def test_what_root_keeps_for_another_purpose(self):
        os.mkdir(self.path("used"))
        with open(self.path("used/important"), "w", encoding="utf-8"):
            pass
        for mode in (0o755, 0o1777, 0o711):
            for key in PLACES:
                if (key, mode) == ("spool", 0o755):
                    continue  # as it would be made
                with self.subTest(key, mode=mode):
                    os.chmod(self.path("used"), mode)
                    self.settings(**{key: self.path("used")})
                    self.refuse("is not empty")

    def test_an_account_that_is_not_there(self):
        self.settings(collector="no-such-service")
        self.refuse("no-such-service", code=3)
        self.assertFalse(os.path.exists(self.path("spool")))

    def test_to_work_for_anybody_but_root(self):
        done = self.run_it(user=STRANGER, group=STRANGER, extra_groups=())
        self.assertEqual(done.returncode, 8)
        self.assertIn("only root", done.stdout)


if __name__ == "__main__":
    harness.main()
