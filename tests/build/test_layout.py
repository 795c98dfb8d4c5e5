#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tests/layout.py finds in small trees that break one rule each. Prints TAP."""
import os
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, SOURCE + "/tests/e2e")
import tap  # noqa: E402

SOUND = {
    "common/base/text.h": "void text(void);\n",
    "common/base/text.c": '#include "base/text.h"\nvoid text(void) {}\n',
    "cli/common/screen.h": "void screen(void);\n",
    "cli/common/screen.c": '#include "cli/common/screen.h"\n#include "base/text.h"\nvoid screen(void) { text(); }\n',
    "cli/people/block.h": "void block(void);\n",
    "cli/people/block.c": '#include "cli/people/block.h"\n#include "cli/common/screen.h"\n'
                          "void block(void) { screen(); }\n",
}


HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n/*\n * What it is for.\n */\n"


def check(changes, build=True, head=HEAD):
    """The exit status and the output for the sound tree with these files changed."""
    with tempfile.TemporaryDirectory() as tree:
        for path, text in {**SOUND, **changes}.items():
            os.makedirs(os.path.dirname(f"{tree}/{path}"), exist_ok=True)
            with open(f"{tree}/{path}", "w", encoding="utf-8") as file:
                file.write((head if path in changes else HEAD) + text if path.endswith(".c") else text)
            if path.endswith(".c") and build:
                os.makedirs(os.path.dirname(f"{tree}/build/{path}"), exist_ok=True)
                subprocess.run([os.environ.get("CC", "cc"), f"-I{tree}", f"-I{tree}/common", "-c", "-o",
                                f"{tree}/build/{path[:-2]}.o", f"{tree}/{path}"], check=True)
        done = subprocess.run([SOURCE + "/tests/layout.py", "--root", tree, "--objects", tree + "/build"],
                              stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, done.stdout


class Layout(tap.Test):

    def assert_found(self, changes, *sentences, head=HEAD):
        status, output = check(changes, head=head)
        self.assertEqual(status, 1, output)
        self.assertEqual(output.count("not ok"), 1, output)
        for sentence in sentences:
            self.assertIn(sentence, output)

    def test_a_sound_tree_passes(self):
        status, output = check({})
        self.assertEqual((status, output.splitlines()[-1]), (0, "layout: 5 passed, 0 failed"), output)

    def test_a_file_without_licence_or_head_is_named(self):
        for head in ("", HEAD.split("\n")[0] + "\n", HEAD.split("\n", 1)[1]):
            self.assert_found({"cli/people/block.c": "int block;\n"},
                              "cli/people/block.c: does not begin with", head=head)

    def test_an_include_that_the_table_does_not_allow_is_named(self):
        self.assert_found({"common/base/log.c": '#include "cli/common/screen.h"\n'},
                          "common/base/log.c: includes cli/common/screen.h; common/base/ may not include cli/common/")

    def test_a_verb_that_includes_the_table_of_verbs_is_named(self):
        self.assert_found({"cli/verbs.h": "", "cli/people/forget.c": '#include "cli/verbs.h"\n'},
                          "cli/people/forget.c: includes cli/verbs.h")

    def test_a_folder_that_is_not_in_the_table_is_named(self):
        self.assert_found({"cli/misc/tool.c": "int tool;\n"}, "cli/misc/tool.c: cli/misc/ is not in the table")

    def test_a_circle_of_includes_is_named(self):
        self.assert_found({"cli/common/table.h": '#pragma once\n#include "cli/common/row.h"\n',
                           "cli/common/row.h": '#pragma once\n#include "cli/common/table.h"\n'},
                          "a circle of 2 files: cli/common/row.h cli/common/table.h",
                          "cli/common/row.h -> cli/common/table.h")

    def test_a_circle_of_calls_is_named_with_its_symbols(self):
        self.assert_found({"cli/people/one.c": "void two(void);\nvoid one(void) { two(); }\n",
                           "cli/people/two.c": "void three(void);\nvoid two(void) { three(); }\n",
                           "cli/people/three.c": "void one(void);\nvoid three(void) { one(); }\n"},
                          "a circle of 3 files: cli/people/one.c cli/people/three.c cli/people/two.c",
                          "cli/people/three.c -> cli/people/one.c: one")

    def test_a_circle_over_a_table_of_functions_is_named(self):
        self.assert_found({"cli/people/usage.c": "void verb(void);\nvoid (*const table[])(void) = {verb};\n",
                           "cli/people/verb.c": "extern void (*const table[])(void);\n"
                                                "void verb(void) { table[0](); }\n"},
                          "cli/people/verb.c -> cli/people/usage.c: table")

    def test_the_same_name_in_emulator_and_product_makes_no_circle(self):
        status, output = check({"emulator/extra.c": "void text(void);\nvoid route(void) { text(); }\n",
                                "common/base/log.c": "void route(void);\nvoid log_line(void) { route(); }\n"})
        self.assertEqual(status, 0, output)

    def test_a_file_that_is_not_built_is_named(self):
        status, output = check({}, build=False)
        self.assertEqual(status, 1, output)
        self.assertIn("common/base/text.c: has no object file", output)


if __name__ == "__main__":
    tap.main()
