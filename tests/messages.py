#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists every message that the product can print, from its C sources.

    messages.py [--kind KIND]... [--all] [FILE...]

Prints a table with tabs: place, kind, the C function, the text. A text that the compiler joins from several literals is
one row; a macro in between appears as its name in <>. Without FILE, all shipped sources are read.

Kinds: fault (what happened), remedy (what to do), log (a log line), print (a line on the screen), prompt, usage
(--help), doctor (a line of `doctor`), text (a part of one of these, or prose in an unknown place), code (a stable word
of a fault or an event), word (a word of a table, of JSON or of an enum: [a-z0-9_.-] only). `--all` adds texts that are
certainly not printed (SQL, names of JSON members that are read, words that are compared).

The kind follows from the call in which a literal appears. A function that is not in KINDS and formats like printf is
found by its attribute in the headers, so that a new one is not missed: its texts are of the kind `text`.
"""
import argparse
import re
import subprocess
import sys

FOLDERS = ["cli", "common", "worker", "pam_module", "emulator", "tests/emulator"]

# The call's name (a regular expression over all of it) and the number of the argument, from 0; None: any.
KINDS = [
    ("fault_set", 2, "code"),
    ("fault_set", None, "fault"),
    (r"fault_remedy", None, "remedy"),
    (r"\w*(refuse|complain|wrong|broken|_strange|_unexpected|diagnose\w*|finding\w*|found_at|err_\w+|sql_\w+|"
     r"say_system|\w*fault|mark_fault|find_fault|refuse_ledger|error_\w+|reply_error|fault_page|"
     r"legacy_errors)", None, "fault"),
    (r"log_(event|about|fault)", 1, "code"),
    (r"log_\w+|pam_(info|error|syslog)|say", None, "log"),
    (r"doctor_\w+|check_\w+", None, "doctor"),
    (r"(cli|setup)_(confirm|yes|question|ask\w*)|ask_key|\w*prompt\w*|getpass", None, "prompt"),
    (r"\w*usage\w*|help_\w+", None, "usage"),
    (r"(screen|table|progress|html|svg|setup|cli)_\w+|v?f?printf|f?puts|fputc|person_line|labelled|head|line|page|tile|"
     r"visibility|waits|name_(words|missing)", None, "print"),
]
# Texts that are compared, opened, looked up or executed, but never printed.
SILENT = re.compile(
    r"str(n|n?case)?cmp|memcmp|strc?spn|strpbrk|strn?str|strcasestr|strtok_r|strsep|f?open(at)?|fdopen|f?reopen|getenv|"
    r"secure_getenv|setenv|unsetenv|getopt_long|dlopen|dlsym|strptime|strftime|json_object_get|json_unpack\w*|"
    r"member\w*|(text|str)_(starts|ends|equal_nocase|in_list|match|is|has|each)\w*|query_\w+|sqlite3_\w+|"
    r"uri_field|(hsm|p11_kit)_uri_\w+|array_read|header(_value)?|reply_(header|text)|meta_\w+|ledger_(get|meta)|"
    r"_Static_assert|memchr|MAP_SQL|execv?p?e?|execlp?|EVP_\w+|OSSL_\w+|OPENSSL_\w+|curl_\w+|form_add|add_header|"
    r"setlocale|ENGINE_\w+|BIO_\w+|PEM_\w+|syslog|section|attribute|format|visibility|text_is_\w+|setting_find|"
    r"iam_caller|route_read")
SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|"
                 r"RELEASE|WITH|WHERE|AND|OR|FROM|ORDER BY|VACUUM|ANALYZE|LEFT JOIN|JOIN|SET)\b")
FORMAT = re.compile(r"%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|j|z|t|L)?[a-zA-Z%]")
TOKEN = re.compile(r"""
    (?P<comment>/\*.*?\*/|//[^\n]*) |
    (?P<string>"(?:\\.|[^"\\\n])*") |
    (?P<char>'(?:\\.|[^'\\\n])+') |
    (?P<name>[A-Za-z_]\w*) |
    (?P<number>\.?\d[\w.]*) |
    (?P<newline>\\?\n) |
    (?P<space>[ \t\f]+) |
    (?P<other>.)
""", re.VERBOSE | re.DOTALL)
WORDS = {"if", "for", "while", "switch", "return", "sizeof", "case", "do", "else", "__attribute__"}
ATTRIBUTE = re.compile(r"\b(\w+)\s*\([^;{}]*?__attribute__\(\(format\(printf", re.DOTALL)


class Message:
    """A literal: where it is, the calls around it (innermost last) with the argument's number, its text."""

    def __init__(self, path, line, function, calls, text):
        self.path, self.line, self.function, self.calls, self.text = path, line, function, calls, text
        self.kind = None

    def in_call(self, name):
        """The argument's number in the nearest call of that name, or None."""
        for call, argument in reversed(self.calls):
            if call == name:
                return argument
        return None


def unquote(literal):
    """The text of a literal; an escape that is not printable stays as it is written."""
    return literal[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def literals(path, source):
    """Every literal of a C file. Adjacent ones are one, even with a macro (PRId64) in between."""
    line, stack, function, candidate = 1, [], "", ""
    open_text, pending, directive, depth = None, [], False, 0
    previous = ""
    for token in TOKEN.finditer(source):
        kind, text = token.lastgroup, token.group(0)
        at, line = line, line + text.count("\n")
        if kind in ("comment", "space"):
            continue
        if kind == "newline":
            if directive and not text.startswith("\\"):
                if open_text:
                    yield open_text
                open_text, pending, directive, stack, previous = None, [], False, directive_stack, ""
            continue
        if directive and previous == "#" and text in ("include", "if", "ifdef", "ifndef", "elif", "error"):
            open_text, pending, stack = None, [], [("#include", 0, "(")]
        if kind == "string":
            if open_text:
                open_text.text += "".join(f"<{name}>" for name in pending) + unquote(text)
            else:
                calls = [(name, argument) for name, argument, _ in stack if name]
                open_text = Message(path, at, function or candidate, calls, "".join(f"<{name}>" for name in pending)
                                    + unquote(text))
            pending, previous = [], '"'
            continue
        # A macro of capitals next to a literal belongs to it if another literal follows or if it is a suffix.
        if kind == "name" and open_text and re.fullmatch(r"[A-Z][A-Z0-9_]+|PRI\w+", text):
            pending.append(text)
            previous = text
            continue
        if open_text:
            open_text.text += "".join(f"<{name}>" for name in pending)
            yield open_text
            open_text, pending = None, []
        if kind == "other":
            if text == "#" and not directive:
                directive, directive_stack, stack = True, list(stack), []
            elif text in "([{":
                name = previous if text == "(" and re.fullmatch(r"[A-Za-z_]\w*", previous) \
                    and previous not in WORDS else ""
                if text == "{" and depth == 0 and not directive:
                    function = candidate
                if text == "(" and name and depth == 0 and not stack:
                    candidate = name
                depth += text == "{" and not directive
                stack.append((name, 0, text))
            elif text in ")]}":
                depth -= text == "}" and not directive
                if stack:
                    stack.pop()
                if depth == 0 and text == "}":
                    function = ""
            elif text == "," and stack:
                name, argument, bracket = stack[-1]
                stack[-1] = (name, argument + 1, bracket)
            elif text == "=" and depth == 0 and not stack:
                candidate = table_name
        if kind == "name" and depth == 0 and not stack:
            table_name = text
        previous = text
    if open_text:
        yield open_text


def classify(message, formatters):
    text = message.text
    letters = re.sub(r"<\w+>", "", FORMAT.sub("", text))
    if not re.search(r"[A-Za-z]{2}", re.sub(r"\\[a-z]|\\x[0-9a-f]{2}", "", letters)) \
            or (message.calls and message.calls[-1][0] == "#include"):
        return None
    if SQL.match(text):
        return "silent"
    prose = re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}|[A-Za-z,.]{2,} %|%\w*[ds] [a-z]{2,}", text)
    word = re.fullmatch(r"[a-z0-9_.:-]+", text)
    for name, argument in reversed(message.calls):
        for pattern, position, kind in KINDS:
            if re.fullmatch(pattern, name) and position in (None, argument):
                return kind if kind == "code" or not word else "word"
        if SILENT.fullmatch(name) and not prose:
            return "silent"
        if name in formatters:
            return "word" if word else "text"
    if "\\n" in text and "usage: " in text:
        return "usage"
    return "word" if word else "text"


def shipped():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--",
                             *(f"{folder}/*.[ch]" for folder in FOLDERS)],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted(listed.split())


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def messages_of(path, source, formatters=frozenset()):
    """Every message of one file, with its kind, except those without a word."""
    for message in literals(path, source):
        message.kind = classify(message, formatters)
        if message.kind:
            yield message


def messages(paths):
    """Those of all these files."""
    sources = {}
    for path in paths:
        try:
            sources[path] = read(path)
        except FileNotFoundError:
            continue
    formatters = {name for source in sources.values() for name in ATTRIBUTE.findall(source)}
    for path, source in sources.items():
        yield from messages_of(path, source, formatters)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", action="append", help="only this kind; may be repeated")
    parser.add_argument("--all", action="store_true", help="what is certainly not printed, too")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    print("place\tkind\tfunction\ttext")
    for message in messages(options.files or shipped()):
        if (options.kind and message.kind not in options.kind) or \
                (message.kind == "silent" and not options.all and not options.kind):
            continue
        print(f"{message.path}:{message.line}\t{message.kind}\t{message.function}\t{message.text}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.exit(0)
