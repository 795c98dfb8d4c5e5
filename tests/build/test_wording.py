#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tests/wording.py: a violation is made, and named."""
import os
import sys

SOURCE = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path[:0] = [os.path.join(SOURCE, "tests", "e2e"), os.path.join(SOURCE, "tests")]
import tap  # pylint: disable=wrong-import-position
import messages  # pylint: disable=wrong-import-position
import wording  # pylint: disable=wrong-import-position

BODY = "void f(void)\n{\n\t%s\n}\n"
HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n"


def found(path, text):
    return [(violation.rule, violation.line) for violation in wording.violations_of(path, text)]


class Rules(tap.Test):

    def test_words_banned_in_any_text_file_are_named(self):
        for text in ("whom it mails", "Whoever asks", "nobody is mailed", "made anew", "it mends that", "all the same",
                     "it ends by itself", "this is no file", "the set-up"):
            for path in ("docs/x.md", "cli/x.c", "docs/man/x.1", "config/x.sh", "tests/e2e/x.py", "Makefile"):
                self.assertEqual(found(path, f"x\n{text}\n")[0], ("words", 2), (path, text))

    def test_words_across_a_line_break_are_named(self):
        self.assertEqual(found("cli/x.c", "/* all the\n * x */\n/* all\nthe same */"), [("words", 3)])

    def test_words_that_only_look_alike_pass(self):
        self.assertEqual(found("docs/x.md", "There is no file. It is no longer there. Amended, recommended.\n"), [])

    def test_names_of_the_old_metaphors_in_code_are_named(self):
        for path, text in (("cli/x.c", "int pace_take(void);"), ("common/x.h", "struct desk *d;"),
                           ("tests/x.py", "def clear_sky():"), ("cli/x.c", "enum { CLASS_SWEEP };")):
            self.assertEqual(found(path, text + "\n"), [("names", 1)], text)
        self.assertEqual(found("common/ledger/pace.c", HEAD), [("names", 0)])

    def test_names_in_comments_and_strings_pass(self):
        self.assertEqual(found("cli/x.c", '/* of course */\nchar *s = "course";\n'), [])

    def test_null_compared_is_named(self):
        for text in ("if (p == NULL)", "return NULL != p;", "while (p!= NULL)"):
            self.assertEqual(found("cli/x.c", text + "\n"), [("null", 1)], text)
        self.assertEqual(found("cli/x.c", "p = NULL;\n/* p == NULL */\n"), [])

    def test_array_size_by_division_is_named(self):
        for text in ("n = sizeof(a) / sizeof(a[0]);", "n = sizeof a / sizeof *a;"):
            self.assertEqual(found("cli/x.c", text + "\n"), [("array_size", 1)], text)

    def test_columns_beyond_120_are_named(self):
        long = "word " * 25
        self.assertEqual(found("docs/x.md", long + "\n"), [("columns", 1)])
        self.assertEqual(found("tests/x.py", "# " + long + "\n"), [("columns", 1)])

    def test_columns_of_tables_code_and_urls_are_free(self):
        long = "word " * 25
        self.assertEqual(found("docs/x.md", f"| {long} |\n```\n{long}\n```\n<https://example.com/{'x' * 120}>\n"), [])

    def test_message_without_a_stop_before_the_next_sentence_is_named(self):
        self.assertEqual(found("cli/x.c", BODY % 'cli_note("the key is not set Set it to a number.");'),
                         [("message", 3)])

    def test_message_remedy_without_a_full_stop_is_named(self):
        self.assertEqual(found("cli/x.c", BODY % 'fault_remedy(f, "Write a number");'), [("message", 3)])
        for text in ("Write a number.", "Run it as root: sudo cloudinvite enable", "cloudinvite doctor"):
            self.assertEqual(found("cli/x.c", BODY % f'fault_remedy(f, "{text}");'), [], text)

    def test_message_of_a_fault_with_a_full_stop_is_named(self):
        self.assertEqual(found("cli/x.c", BODY % 'fault_set(f, K, "code", "%s: it is full.", x);'),
                         [("message", 3)])

    def test_joined_message_and_remedy_are_named(self):
        self.assertEqual(found("cli/x.c", 'print("%s %s", f->what, f->remedy);\n'), [("joined", 1)])
        self.assertEqual(found("cli/x.c", 'print("%s. %s", f->what, f->remedy);\n'), [("joined", 1)])


class Messages(tap.Test):

    def kinds(self, text):
        return [(message.kind, message.text) for message in messages.messages_of("cli/x.c", text)]

    def test_messages_joined_by_the_compiler_are_one(self):
        self.assertEqual(self.kinds(BODY % 'log_event(L, "sent", "%" PRId64 " mails"\n\t\t" sent", n);'),
                         [("code", "sent"), ("log", "%<PRId64> mails sent")])

    def test_messages_in_tables_and_conditions_are_found(self):
        self.assertEqual(self.kinds('static const char *const t[] = {"it is full"};\nvoid f(void)\n{\n'
                                    '\tcli_note("%s", x ? "none is left" : "one is left");\n}\n'),
                         [("text", "it is full"), ("print", "none is left"), ("print", "one is left")])

    def test_messages_that_are_not_printed_are_silent(self):
        self.assertEqual(self.kinds(BODY % 'if (strcmp(a, "abc") == 0)\n\t\tquery_start(q, "SELECT 1 FROM t");'),
                         [("silent", "abc"), ("silent", "SELECT 1 FROM t")])

    def test_messages_of_the_tree_hold_every_literal(self):
        """An independent count: each literal of the sources is in a row."""
        os.chdir(SOURCE)
        for path in messages.shipped():
            source = messages.read(path)
            rows = "\n".join(message.text for message in messages.literals(path, source))
            for literal in messages.re.findall(r'"((?:\\.|[^"\\\n])*)"', messages.TOKEN.sub(
                    lambda m: " " if m.lastgroup in ("comment", "char") else m.group(0), source)):
                self.assertIn(messages.unquote(f'"{literal}"'), rows, path)


if __name__ == "__main__":
    tap.main()
