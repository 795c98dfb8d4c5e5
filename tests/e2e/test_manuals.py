#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The man pages and the programs agree: verbs, options, settings, arguments, exit codes."""
import glob
import os
import re
import subprocess

import harness

MAN = harness.SOURCE + "/docs/man/"
PAGES = {"pam_cloudinvite.8", "cloudinvite.1", "cloudinvite-collector.8",
         "cloudinvite-dispatcher.8", "cloudinvite.conf.5", "cloudinvite.map.5",
         "cloudinvite-emulator.1", "cloudinvite-keeper.8"}
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*)")
# Options of other programs that a page mentions: only journalctl -x.
FOREIGN = {"-x"}


def page(name):
    with open(MAN + name, encoding="utf-8") as file:
        return file.read()


def section(text, name):
    """The lines of one .Sh, without what follows."""
    found = re.search(rf"^\.Sh {re.escape(name)}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)
    return found.group(1) if found else ""


def options(text):
    """Of mdoc: `.Fl -json`, `Fl c Ar file`, `Oo Fl -yes Oc`, `Fl -once | -prepare`."""
    lines = "".join(line for line in text.splitlines(keepends=True) if line.startswith("."))
    found = re.findall(r"\bFl (-?[a-z][a-z-]*)", lines)
    found += re.findall(r"\bFl [a-z-]+ \| (-[a-z-]+)", lines)
    return {"-" + word for word in found} - FOREIGN


def say(program, *words):
    return subprocess.run([os.path.join(harness.BUILD, program), *words], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False).stdout


def verbs():
    """What `cloudinvite help` lists."""
    return re.findall(r"^  ([a-z]+) ", say("cloudinvite", "help"), re.M)


class Pages(harness.Test):

    def test_every_page_is_there_and_each_has_its_sections(self):
        self.assertEqual({os.path.basename(name) for name in glob.glob(MAN + "*.[1-8]")}, PAGES)
        for name in PAGES:
            for wanted in ("NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO"):
                self.assertTrue(section(page(name), wanted), f"{name}: {wanted}")

    def test_what_they_refer_to_is_there(self):
        for name in PAGES:
            for other, number in re.findall(r"Xr (\S*cloudinvite\S*) ([1-8])", page(name)):
                self.assertIn(f"{other}.{number}", PAGES, name)


class Verbs(harness.Test):

    def blocks(self):
        """Verb -> its item in cloudinvite(1), up to the next verb's."""
        known, found, name, depth = set(verbs()), {}, None, 0
        for line in section(page("cloudinvite.1"), "DESCRIPTION").splitlines(keepends=True):
            depth += line.startswith(".Bl ") - line.startswith(".El")
            item = re.match(r"\.It Cm ([a-z]+)\b", line)
            if depth == 1 and item and item.group(1) in known:
                name = item.group(1)
            elif depth == 0:
                name = None
            if name:
                found[name] = found.get(name, "") + line
        return found

    def test_each_verb_of_the_help_has_its_place_in_the_page_and_the_other_way_round(self):
        self.assertGreater(len(verbs()), 20)
        self.assertEqual(set(self.blocks()) | {"help"}, set(verbs()))
        self.assertIn(".Cm help", section(page("cloudinvite.1"), "SYNOPSIS"))

    def test_each_option_of_a_verb_is_in_both(self):
        for name, text in self.blocks().items():
            said = set(OPTION.findall(say("cloudinvite", "help", name)))
            with self.subTest(verb=name):
                self.assertEqual(options(text), said)


    def test_each_option_that_the_code_accepts_is_in_the_help(self):
        taken, told = set(), {"config", "help", "version"}
        for name in glob.glob(harness.SOURCE + "/cli/**/*.c", recursive=True):
            with open(name, encoding="utf-8") as file:
                taken |= set(re.findall(r'\{"([a-z-]+)", (?:no|required|optional)_argument',
                                        file.read()))
        for name in verbs():
            told |= {option[2:] for option in OPTION.findall(say("cloudinvite", "help", name))}
        self.assertGreater(len(taken), 30)
        self.assertEqual(taken - told, set())


class Programs(harness.Test):

    def test_each_option_of_the_programs_is_in_both(self):
        for name in ("cloudinvite-collector.8", "cloudinvite-dispatcher.8",
                     "cloudinvite-keeper.8", "cloudinvite-emulator.1"):
            text = page(name)
            said = say(name[:-2], "--help").split("Example:")[0]
            wanted = set(OPTION.findall(said)) | set(re.findall(r"(?<![\w-])(-[a-z])\b(?!-)", said))
            with self.subTest(page=name):
                self.assertEqual(options(section(text, "SYNOPSIS") + section(text, "DESCRIPTION")),
                                 wanted)

    def test_each_control_endpoint_of_the_emulator_is_in_both(self):
        said = set(re.findall(r"/emulator/([a-z-]+)", say("cloudinvite-emulator", "--help")))
        told = section(page("cloudinvite-emulator.1"), "CONTROL")
        told = {name for line in re.findall(r"^\.It Pa (.*)$", told, re.M)
                for name in line.split(" , ")}
        self.assertGreater(len(said), 10)
        self.assertEqual(told, said)

    def test_each_exit_status_of_the_command_is_explained(self):
        with open(harness.SOURCE + "/cli/common/context.h", encoding="utf-8") as file:
            codes = {int(number) for number in re.findall(r"#define EXIT_\w+\s+(\d+)", file.read())}
        told = section(page("cloudinvite.1"), "EXIT STATUS")
        told = {int(number) for number in re.findall(r"^\.It (\d+)$", told, re.M)}
        self.assertEqual(told, codes | {3, 4})

    def test_each_argument_of_the_module_is_in_its_page(self):
        with open(harness.SOURCE + "/common/pam/arguments.c", encoding="utf-8") as file:
            source = file.read()
        words = set(re.findall(r'\{"([a-z_]+)", &a->', source))
        words |= set(re.findall(r'after\(argument, "([a-z_]+)="\)', source))
        self.assertGreater(len(words), 8)
        text = page("pam_cloudinvite.8")
        told = section(text, "ARGUMENTS")
        told = {word for line in re.findall(r"^\.It (.*)$", told, re.M)
                for word in re.findall(r"Cm ([a-z_]+)", line)}
        self.assertEqual(told, words)
        self.assertEqual(set(re.findall(r"Op Cm ([a-z_]+)", section(text, "SYNOPSIS"))), words)


class Settings(harness.Test):

    def test_each_key_has_its_entry_in_its_section_with_its_default(self):
        with harness.Emulator() as google, harness.Site(google) as site:
            site.write("etc/cloudinvite.conf", "")
            answer = site.json("config", "--json")["settings"]
        self.assertGreater(len(answer), 50)
        text, wanted = page("cloudinvite.conf.5"), {}
        for entry in answer:
            wanted.setdefault(entry["section"], {})[entry["key"]] = entry["value"]
        for name, keys in wanted.items():
            told = {key: (value or "").replace("\\&", "") for key, value in re.findall(
                r"^\.It Ic (\w+) No =(?: Cm (.*))?$", section(text, f"[{name}] KEYS"), re.M)}
            with self.subTest(section=name):
                self.assertEqual(told, keys)
        self.assertEqual(set(re.findall(r"^\.Sh \[(\w+)\] KEYS", text, re.M)), set(wanted))


def source_of(name):
    with open(f"{harness.SOURCE}/cli/{name}", encoding="utf-8") as file:
        return file.read()


def members(value):
    """Every member's name in a JSON value, but for those of counts, which are states and verdicts."""
    if isinstance(value, list):
        return {name for one in value for name in members(one)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {name for key, one in value.items() if key not in ("summary", "verdicts")
                         for name in members(one)}


class Json(harness.Test):
    def test_the_page_names_the_members_of_status_and_no_others(self):
        with harness.Emulator() as google, harness.Site(google) as site:
            google.accounts({"address": "alice@example.com"})
            site.arrive_account("alice")
            site.collector_once()
            site.dispatcher_once()
            there = members(site.json("status", "--json"))
        text = section(page("cloudinvite.1"), "DESCRIPTION")
        text = text[text.index(".Cm status Fl -json\nprints"):]
        named = set(re.findall(r'"(\w+)"', text[:text.index(".Ed")]))
        self.assertGreater(len(there), 15)
        self.assertEqual(there - named, set())
        # A pause, an error and what else this ledger does not have.
        source = "".join(source_of(name) for name in ("status/status_json.c", "common/json.c"))
        self.assertEqual({name for name in named - there if f'"{name}"' not in source}, set())


if __name__ == "__main__":
    harness.main()
