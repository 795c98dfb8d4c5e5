#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lint: clang-format, clang-tidy, cppcheck, shellcheck, mandoc and the project's own rules.

Prints TAP with a line for each check and file, and ends with a line that CI adds up.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shlex
import subprocess
import sys

BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|system|popen|"
                    r"alloca|mktemp|tmpnam|asctime|ctime)\s*\(")
LINE_COMMENT = re.compile(r"(^|[^:\"'])//(?!/)")
# The command line's writers: all other output goes through them, so that no text of a ledger, a host or Google bypasses
# them on its way to a terminal, a spreadsheet or a script (docs/security.md, "The writers").
PRINTED = re.compile(r"\b(v?f?printf|v?dprintf|f?puts|f?putc|putchar|fwrite)\s*\(")
WRITERS = {"cli/common/context.c", "cli/common/confirm.c", "cli/common/screen.c", "cli/common/json.c",
           "cli/common/csv.c",
           "cli/common/progress.c", "cli/ops/metrics.c", "cli/status/watch.c",
           "cli/common/verb.c",    # the texts of --help
           "cli/api/token.c",  # --print; access_token_valid accepts only printable ASCII
           "cli/api/login_ask.c"}  # addresses for a browser, which are percent-encoded
MAX_FILE_LINES = 500
MAX_TEST_LINES = 700
MAX_COLUMNS = 100

number = 0
failures = 0


def report(name, output):
    """One TAP line; output (if any) makes it a failure."""
    global number, failures
    number += 1
    output = output.strip()
    print(f"{'not ok' if output else 'ok'} {number} - {name}", flush=True)
    if output:
        failures += 1
        for line in output.splitlines()[:60]:
            print(f"# {line}")


def tool(*command):
    """The output of a tool that failed, nothing from one that did not."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return (done.stdout or f"{command[0]} ended with {done.returncode}") if done.returncode else ""


def strip_text(source):
    """The code without string literals and block comments, lines kept."""
    def blank(match):
        return '""' if match.group(0)[0] == '"' else re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/', blank, source, flags=re.DOTALL)


def call(source, at):
    """The arguments of the call whose bracket opens at `at`."""
    depth, end, quoted = 0, at, False
    while end < len(source):
        c = source[end]
        if quoted:
            end += c == "\\"
            quoted = c != '"'
        elif c == '"':
            quoted = True
        else:
            depth += (c == "(") - (c == ")")
            if depth == 0:
                break
        end += 1
    return source[at + 1:end]


def printed(path, source):
    """What is printed without the writers, unless it is a text of ours with numbers or a single character."""
    source = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), source, flags=re.DOTALL)
    for found in PRINTED.finditer(source):
        text = call(source, found.end() - 1)
        if "putc" in found.group(1) or ('"' in text and not re.search(r"%[-.*0-9]*s", text)):
            continue
        line = source.count("\n", 0, found.start()) + 1
        yield f"{path}:{line}: {found.group(1)}() prints around the writers: cli_print, cli_note, a screen"


def own_rules(path):
    with open(path, encoding="utf-8") as file:
        source = file.read()
    findings = []
    lines = source.splitlines()
    if "SPDX-License-Identifier: Apache-2.0" not in "\n".join(lines[:2]):
        findings.append(f"{path}:1: the SPDX line is missing")
    most = MAX_TEST_LINES if path.startswith("tests/") else MAX_FILE_LINES
    if len(lines) > most:
        findings.append(f"{path}: {len(lines)} lines: a file is one idea, at most {most}")
    if not source.endswith("\n") or source.endswith("\n\n"):
        findings.append(f"{path}: must end with one newline")
    for at, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > MAX_COLUMNS:
            findings.append(f"{path}:{at}: longer than {MAX_COLUMNS} columns")
        if re.search(r"\b(TODO|FIXME|XXX)\b", line) and not re.search(r"%XX|xXXX", line):
            findings.append(f"{path}:{at}: a TODO belongs into an issue")
    if path.startswith("cli/") and path.endswith(".c") and path not in WRITERS:
        findings += printed(path, source)
    for at, line in enumerate(strip_text(source).splitlines(), 1):
        banned = BANNED.search(line)
        if banned:
            findings.append(f"{path}:{at}: {banned.group(1)}() is banned")
        if LINE_COMMENT.search(line):
            findings.append(f"{path}:{at}: // comment")
    return findings


def tidy(path, flags):
    return tool("clang-tidy", "--quiet", path, "--", *flags)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--shell", default="")
    parser.add_argument("--fast", action="store_true", help="without clang-tidy and cppcheck")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    files = [file for file in options.files if os.path.exists(file)]
    sources = [file for file in files if file.endswith(".c")]
    flags = shlex.split(os.environ.get("CLOUDINVITE_DEFS", "")) \
        + shlex.split(os.environ.get("CLOUDINVITE_CFLAGS", ""))

    report("clang-format", tool("clang-format", "--dry-run", "--Werror", *files))
    report("the project's own rules", "\n".join(f for file in files for f in own_rules(file)))
    report("words, names and messages", tool(sys.executable, "tests/wording.py"))
    report("shellcheck", tool("shellcheck", *shlex.split(options.shell)))
    report("man pages", "".join(tool("mandoc", "-Tlint", "-Wwarning", page)
                                for page in sorted(glob.glob("docs/man/*.[158]"))))
    report("python compiles", tool(sys.executable, "-m", "py_compile", "tests/run",
                                   *glob.glob("tests/**/*.py", recursive=True)))
    if not options.fast:
        # varFuncNullUB: NULL is a pointer in C on every system on which this runs, and libcurl's own documentation
        # passes it so. The system's headers cannot be changed.
        defines = [flag for flag in flags if flag.startswith(("-D", "-I"))]
        report("cppcheck", tool(
            "cppcheck", "--quiet", "--std=c11", "--error-exitcode=1", "-j", str(options.jobs),
            "--enable=warning,performance,portability", "--inline-suppr",
            "--suppress=missingIncludeSystem", "--suppress=*:/usr/include/*",
            "--suppress=varFuncNullUB", *defines, *sources))
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for source, output in zip(sources, pool.map(lambda s: tidy(s, flags), sources)):
                report(f"clang-tidy {source}", output)
    print(f"lint: {number - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
