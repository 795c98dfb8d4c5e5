#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The documentation works: every command in it is run and its output compared. A command that cannot be run here says
so in the page, is counted, and is at least valid for bash.
"""
import collections
import concurrent.futures
import configparser
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import harness
import overlay
import pages

PATHS = re.compile(r"\btests/[a-z0-9_/]+\.(?:py|c)\b")
NAMES = re.compile(r"`(test_[a-z0-9_]+\.py|[a-z0-9_]+_test\.c)`")
PROMISES = re.compile(r"`((?:tests/[\w/]+/)?(?:test_\w+\.py|\w+_test\.c))` "
                      r"((?:[A-Za-z*]+_[a-z_*]+(?:, (?=[a-z]+_))?)+)")
LINKS = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
SPAN = re.compile(r"`(?:sudo )?cloudinvite ([^`]+)`")
MANUAL = re.compile(r"^\.(?:Dl|Ql|So) (?:# |sudo )?cloudinvite (.+)$", re.M)
REMEDY = re.compile(r'(?:`|See: |sudo |Run |→ )cloudinvite ([a-z][^`"\\;,…%]*)')
MAKE = re.compile(r"(?:^|`|&& )make((?: +[A-Za-z][\w=,./-]*)+)", re.M)
GCLOUD = re.compile(r'(?<![`\w])gcloud [a-z][^\n"`]*')
PLAYED = re.compile(r"\bcloudinvite ([a-z]+(?: +--[^\s]+(?: +[^-\s{][^\s]*)?)+)")
FILES = re.compile(r"`((?:common|cli|worker|tests|config|packaging|pam_module|docs)/[\w./*-]+)`")
INVARIANT = re.compile(r"^\| (I\d+) \|(.*)$", re.M)
TRANSITION = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \| ([a-z_, ]+) \| ([a-z_, ]+) \|$", re.M)
ARROW = re.compile(r"──(\w+)──► (\w+(?:, \w+)*)")
SHOWS = re.compile(r"^(?:#|/\*) Shows ((?:I\d+(?:, )?)+)", re.M)
HERE = os.path.dirname(os.path.abspath(__file__))
AT_ONCE = 3


def run_page(path):
    done = subprocess.run([sys.executable, HERE + "/document_host.py", path], check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, CLOUDINVITE_PROGRAMS=harness.BUILD))
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"ran": 0, "problems": [done.stdout + done.stderr]}


def help_of(verb, seen={}):  # pylint: disable=dangerous-default-value
    """The output of `cloudinvite help VERB`; empty for a word that is not a verb."""
    if verb not in seen:
        done = subprocess.run([harness.BUILD + "/cloudinvite", "help", verb], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seen[verb] = done.stdout if done.returncode == 0 else ""
    return seen[verb]


def misspelt(words):
    """What in `cloudinvite WORDS` is neither a verb nor an option; None if all of it is."""
    words = re.split(r" #|[.:)]( |$)", words)[0].split()
    if words[0] in ("[-c", "--help", "--version", "VERB"):
        return None
    if not help_of(words[0]):
        return words[0]
    options = [re.match(r"--[a-z-]+", word) for word in words[1:]]
    wrong = [option.group(0) for option in options
             if option and option.group(0) not in help_of(words[0])]
    return wrong[0] if wrong else None


def transitions_of_the_program():
    """Every (event, from, to) that common/person/transitions.c allows."""
    printed = subprocess.run([harness.BUILD + "/tests/unit/person_transitions_test", "--print"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return {tuple(line.split()) for line in printed.splitlines()}


def section(page, name):
    return page.split(f"\n## {name}\n")[1].split("\n## ")[0]


def transitions_of_the_table(table, states):
    """The same, of the rows `event` | from | to."""
    def named(cell, same):
        found = re.fullmatch(r"any(?: but (\w+))?", cell)
        words = states - {found.group(1)} if found else set(cell.split(", "))
        return {same if word == "same" else word for word in words}

    for events, sources, targets in TRANSITION.findall(table):
        for event in events.replace("`", "").split(", "):
            for source in named(sources, None):
                for target in named(targets, source):
                    yield event, source, target


def arrow_source(lines, row, column):
    """The word where the arrow that begins at `column` comes from: to its left, or above its branch."""
    if lines[row][column - 1] in "├└":
        column -= 1
        while lines[row][column] in "│├└":
            row -= 1
        column += 1
    return next(word.group(0) for word in re.finditer(r"\w+", lines[row])
                if word.start() < column <= word.end() + 1)


def transitions_of_the_drawing(lines):
    for row, line in enumerate(lines):
        for arrow in ARROW.finditer(line):
            for target in arrow.group(2).split(", "):
                yield arrow.group(1), arrow_source(lines, row, arrow.start()), target


class Blocks(harness.Test):

    def test_each_block_says_what_it_is(self):
        for name in pages.names():
            with self.subTest(page=name):
                pages.parse(name)

    def test_bash_accepts_the_commands_that_cannot_be_run_here(self):
        classes = collections.Counter()
        for name in pages.names():
            for block in pages.parse(name)[1]:
                if block.kind not in pages.SHELL or not block.elsewhere:
                    continue
                with self.subTest(page=name, line=block.at):
                    classes[block.elsewhere] += len(pages.commands(block))
        self.assertEqual(set(classes) - set(pages.ELSEWHERE), set())
        for name, count in sorted(classes.items()):
            print(f"# not run here: {count} {name} ({pages.ELSEWHERE[name]})")

    def test_settings_that_a_page_shows_are_settings(self):
        shown = 0
        for name in pages.names():
            for block in pages.parse(name)[1]:
                if block.kind == "ini":
                    with self.subTest(page=name, line=block.at):
                        self.assertEqual(self.wrong("\n".join(block.lines)), [])
                    shown += 1
        self.assertGreater(shown, 3)
        self.assertEqual(len(self.wrong("[people]\nexclude_user = svc-*\nmin_uid = all")), 2)

    def test_a_map_that_a_page_shows_is_a_map(self):
        for name in pages.names():
            for block in pages.parse(name)[1]:
                if block.kind == "map":
                    self.assertEqual(self.wrong_in_map(block.lines), [], name)
        self.assertTrue(self.wrong_in_map(["alice alice@example.com", "bob"]))

    def wrong_in_map(self, lines):
        with tempfile.NamedTemporaryFile("w", suffix=".map", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.chmod(file.name, 0o644)
            said = self.check(f"[people]\ndomains = example.com\nmap = {file.name}\n")
            # Notes are right: the users of a page are not on this host.
            return [line for line in said.splitlines() if file.name in line and "exist on this host" not in line]

    def check(self, settings):
        """What `cloudinvite config --check` finds."""
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(settings + "\n")
            file.flush()
            return subprocess.run([harness.BUILD + "/cloudinvite", "-c", file.name, "config",
                                   "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False).stdout

    def wrong(self, text):
        """What is reported about its lines, except that there is no credential here."""
        said = self.check(text)
        parser = configparser.ConfigParser(interpolation=None, delimiters="=", comment_prefixes=("#", ";"))
        parser.read_string(text)
        self.assertTrue(parser.sections())
        return re.findall(r"\.conf:\d+: (?!credentials: ).*", said)


class Words(harness.Test):

    def test_every_test_that_a_page_names_is_there(self):
        named = 0
        for page in glob.glob(harness.SOURCE + "/docs/*.md"):
            with open(page, encoding="utf-8") as file:
                text = file.read()
            paths = set(PATHS.findall(text))
            missing = [path for path in paths
                       if not os.path.exists(os.path.join(harness.SOURCE, path))]
            missing += [name for name in set(NAMES.findall(text))
                        if not glob.glob(f"{harness.SOURCE}/tests/*/{name}")]
            self.assertEqual(missing, [], os.path.basename(page))
            named += len(paths)
        self.assertGreater(named, 20)

    def test_every_invariant_of_the_design_is_named_by_the_tests_in_its_row_and_by_no_other(self):
        rows = INVARIANT.findall(pages.read("docs/design.md"))
        self.assertEqual([name for name, _ in rows], [f"I{n}" for n in range(1, len(rows) + 1)])
        listed = {(name, path) for name, row in rows for path in PATHS.findall(row)}
        named = {(name, os.path.relpath(path, harness.SOURCE))
                 for path in glob.glob(f"{harness.SOURCE}/tests/*/*test*.[cp]*")
                 for names in SHOWS.findall(pages.read(path)) for name in names.split(", ")}
        self.assertEqual(listed, named)
        self.assertEqual({name for name, _ in rows}, {name for name, _ in listed})

    def test_the_table_of_a_persons_transitions_is_that_of_the_program(self):
        allowed = transitions_of_the_program()
        states = {to for _, _, to in allowed}
        page = pages.read("common/person/README.md")
        self.assertEqual(set(transitions_of_the_table(section(page, "Transitions"), states)), allowed)
        rows = re.findall(r"^\| (`[^|]+) \|", section(page, "States"), re.M)
        self.assertEqual({word for row in rows for word in re.findall(r"\w+", row)}, states)

    def test_every_arrow_of_the_drawing_of_a_persons_states_is_a_transition(self):
        lines = next(block.lines for block in pages.parse("docs/design.md")[1]
                     if any("──sighted──►" in line for line in block.lines))
        drawn = set(transitions_of_the_drawing(lines))
        allowed = transitions_of_the_program()
        self.assertEqual(drawn - allowed, set())
        self.assertEqual({to for _, _, to in drawn}, {to for _, _, to in allowed})

    def test_a_wrong_arrow_of_a_drawing_would_be_found(self):
        drawn = transitions_of_the_drawing(["queued ──permit──► sending ──sent──► invited",
                                            "  │                   └──failed──► queued, held",
                                            "  └──got──► accepted"])
        self.assertEqual(set(drawn), {("permit", "queued", "sending"), ("sent", "sending", "invited"),
                                      ("failed", "sending", "queued"), ("failed", "sending", "held"),
                                      ("got", "queued", "accepted")})

    def test_every_promise_that_a_page_quotes_is_the_name_of_a_test(self):
        seen = 0
        for name in glob.glob(harness.SOURCE + "/docs/*.md"):
            for file, promises in PROMISES.findall(pages.read(name)):
                path = glob.glob(f"{harness.SOURCE}/{file}") + glob.glob(f"{harness.SOURCE}/tests/*/{file}")
                with open(path[0], encoding="utf-8") as source:
                    text = source.read()
                for promise in promises.split(", "):
                    seen += 1
                    self.assertIn(promise.strip("*"), text, f"{name}: {file}")
        self.assertGreater(seen, 15)

    def test_every_command_in_a_sentence_has_a_verb_and_options_that_are_there(self):
        seen = 0
        for name in pages.names():
            if not name.endswith(".md"):
                continue
            for words in SPAN.findall(pages.read(name)):
                seen += 1
                self.assertIsNone(misspelt(words), f"{name}: `cloudinvite {words}`")
        self.assertGreater(seen, 50)

    def test_every_command_in_a_playbook_has_a_verb_and_options_that_are_there(self):
        seen = 0
        for name in pages.names():
            for block in pages.parse(name)[1]:
                for words in PLAYED.findall(" ".join(block.lines)) if block.kind == "yaml" else ():
                    seen += 1
                    self.assertIsNone(misspelt(words), f"{name}: cloudinvite {words}")
        self.assertGreater(seen, 0)

    def test_every_command_in_a_manual_has_a_verb_and_options_that_are_there(self):
        seen = 0
        for name in pages.names():
            for words in MANUAL.findall(pages.read(name)) if name.endswith((".1", ".5", ".8")) else ():
                seen += 1
                self.assertIsNone(misspelt(pages.plain(words)), f"{name}: cloudinvite {words}")
        self.assertGreater(seen, 20)

    def test_every_command_in_a_remedy_has_a_verb_and_options_that_are_there(self):
        seen = 0
        for folder in ("cli", "cli/*", "common/*", "worker", "worker/*", "pam_module"):
            for name in glob.glob(f"{harness.SOURCE}/{folder}/*.c"):
                with open(name, encoding="utf-8") as file:
                    text = re.sub(r'"\s*\n\s*"', "", file.read())
                for words in REMEDY.findall(text):
                    seen += 1
                    self.assertIsNone(misspelt(words), f"{name}: cloudinvite {words}")
        self.assertGreater(seen, 30)

    def test_every_command_of_gcloud_is_in_its_reference(self):
        seen = 0
        for name in pages.names() + ["cli/setup/guide.c"]:
            text = re.sub(r'\\\\"\);\s*line\("|"\s*\n\s*"', " ", pages.read(name))
            text = re.sub(r"\\e?\n\s*", " ", text)
            for words in GCLOUD.findall(text):
                seen += 1
                self.assertIsNone(pages.gcloud_mistake(words), f"{name}: {words}")
        self.assertGreater(seen, 20)
        self.assertEqual(pages.gcloud_mistake("gcloud iam service-accounts create x --key=y"), "--key")
        self.assertIsNotNone(pages.gcloud_mistake("gcloud iam service-account create x"))

    def test_every_target_of_make_that_a_page_names_is_there(self):
        seen, makefile = 0, pages.read("Makefile")
        for name in pages.names():
            for words in MAKE.findall(pages.read(name)) if name.endswith(".md") else ():
                for word in words.split():
                    if re.fullmatch("[a-z-]+", word):
                        seen += 1
                        self.assertRegex(makefile, rf"(?m)^{word}:", f"{name}: make {words}")
        self.assertGreater(seen, 15)

    def test_every_file_of_the_tree_that_a_page_names_is_there(self):
        seen = 0
        for name in pages.names():
            for path in FILES.findall(pages.read(name)) if name.endswith(".md") else ():
                seen += 1
                self.assertTrue(glob.glob(f"{harness.SOURCE}/{path.split()[0]}"), f"{name}: {path}")
        self.assertGreater(seen, 30)

    def test_a_command_with_a_wrong_verb_or_option_would_be_found(self):
        self.assertEqual(misspelt("stauts"), "stauts")
        self.assertEqual(misspelt("forget --all TARGET"), "--all")
        self.assertIsNone(misspelt("approve --reason dry_run"))

    def test_every_link_within_the_documentation_leads_somewhere(self):
        for name in pages.names():
            if not name.endswith(".md"):
                continue
            for target, _ in LINKS.findall(pages.read(name)):
                if "://" not in target and not target.startswith("mailto:"):
                    where = os.path.join(harness.SOURCE, os.path.dirname(name), target)
                    self.assertTrue(os.path.exists(where), f"{name}: {target}")

    def test_every_page_is_in_the_table_of_contents_and_every_guide_in_the_readme(self):
        contents, readme = pages.read("docs/index.md"), pages.read("README.md")
        for page in glob.glob(harness.SOURCE + "/docs/*.md"):
            name = os.path.basename(page)
            if name != "index.md":
                self.assertIn(f"]({name})", contents)
                self.assertIn(f"](docs/{name})", readme)
        for page in glob.glob(harness.SOURCE + "/docs/man/*.[158]"):
            name, _, section = os.path.basename(page).rpartition(".")
            self.assertIn(f"{name}({section})", contents)


@unittest.skipIf(overlay.why_not(), overlay.why_not())
@unittest.skipIf(harness.SANITIZED, "runuser and login cannot load a module with a sanitizer")
class Commands(harness.Test):

    def test_every_command_does_what_its_page_says(self):
        with_commands = [name for name in pages.names() if any(
            block.kind in pages.SHELL and not block.elsewhere for block in pages.parse(name)[1])]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = dict(zip(with_commands, pool.map(run_page, with_commands)))
        for name, result in results.items():
            with self.subTest(page=name):
                self.assertEqual(result["problems"], [], "\n".join(result["problems"]))
        ran = sum(result["ran"] for result in results.values())
        print(f"# {ran} commands of {len(results)} pages were run")
        self.assertGreater(ran, 60)

    def test_a_page_that_lies_is_found(self):
        lies = {"ended with 1, not 0": "```sh\ntrue\nfalse\n```\n",
                "`echo a; echo b` printed": "```console\n# echo two\ntwo\n# echo a; echo b\na\n```\n",
                "printed\none": "```sh\ntrue\n```\n```console\n# echo one\n…two\n```\n"}
        with tempfile.TemporaryDirectory() as folder, \
                concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            names = []
            for number, text in enumerate(lies.values()):
                names.append(f"{folder}/{number}.md")
                with open(names[-1], "w", encoding="utf-8") as file:
                    file.write("<!-- host: bare -->\n" + text)
            for says, result in zip(lies, pool.map(run_page, names)):
                self.assertIn(says, " ".join(result["problems"]))
                self.assertEqual(result["ran"], 1)


class Matching(harness.Test):

    def test_an_ellipsis_is_anything_in_a_line_and_alone_any_lines(self):
        for wanted, lines, fits in ((["a … c"], ["a b c"], True), (["a … c"], ["a b d"], False),
                                    (["…", "b"], ["a", "x", "b"], True), (["…"], [], True),
                                    (["a", "…"], ["a"], True), (["a"], ["a", "b"], False),
                                    (["a  b"], ["  a b"], True), (["…", "a"], ["a", "b"], False)):
            with self.subTest(wanted=wanted, lines=lines):
                self.assertEqual(pages.matches(wanted, lines), fits)


if __name__ == "__main__":
    harness.main()
