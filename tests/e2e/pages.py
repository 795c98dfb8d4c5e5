# SPDX-License-Identifier: Apache-2.0
"""The pages of the documentation as tests: their code blocks and the commands in them.

In Markdown the fence says what a block is: ```sh is run, ```console is run and its output compared, ```sh
elsewhere=CLASS cannot be run here. Comments are for the test alone:

    <!-- host: bare -->              the host at the beginning of the page (document_host.py)
    <!-- meanwhile: COMMAND -->      what happens outside between two blocks
    <!-- answers: one | two -->      what is typed at the next command whose comment says `asks`

In man pages only EXAMPLES are tested: `.Dl` and `.Bd -literal`, with the kind in the line before: `.\" sh`, `.\"
console`, `.\" sh elsewhere=CLASS`, `.\" meanwhile: COMMAND`.
"""
import collections
import glob
import os
import re
import subprocess

import harness

# Why a command is not run by this test, and where it is run.
ELSEWHERE = {
    "google": "Google's own, gcloud; GAM",
    "packages": "packages and their tools: tests/system installs them",
    "fedora": "dnf, authselect, SELinux's tools",
    "fleet": "ansible, and what goes to other hosts",
    "booted": "needs systemd as the first process: tests/system boots it",
    "pkcs11": "the OpenSSL of the one or the other Debian: tests/e2e/test_held_keys.py has its own",
    "source": "the tree's own targets: .ci/run is made of them",
    "prometheus": "programs of the monitoring site",
}
# The gcloud commands in our pages, with the documented flags that we use.
GCLOUD = {
    "projects create": {"--organization"}, "projects delete": set(), "config set": set(),
    "services enable": set(), "iam service-accounts create": set(),
    "iam service-accounts describe": {"--format"},
    "iam service-accounts add-iam-policy-binding": {"--member", "--role"},
    "iam service-accounts keys create": {"--iam-account"},
    "iam service-accounts keys delete": {"--iam-account"},
    "iam service-accounts keys list": {"--iam-account"},
    "iam service-accounts keys upload": {"--iam-account"},
    "iam workload-identity-pools create": {"--location"},
    "iam workload-identity-pools providers create-oidc": {
        "--location", "--workload-identity-pool", "--issuer-uri", "--attribute-mapping"},
    "iam workload-identity-pools create-cred-config": {
        "--service-account", "--credential-source-file", "--output-file"},
    "compute instances stop": {"--zone"}, "compute instances start": {"--zone"},
    "compute instances set-service-account": {"--zone", "--service-account", "--scopes"},
}
SHELL = ("sh", "console")
OTHER = ("text", "ini", "unit", "pam", "yaml", "json", "map", "nft", "c", "csv", "promql", "html")

# kind; class if it is not run; lines; the line of the page; the answers to type
Block = collections.namedtuple("Block", "kind elsewhere lines at answers")
# text; expected output (None: any); expected status; whether it asks
Command = collections.namedtuple("Command", "text output status asks")

FENCE = re.compile(r"^( *)```(.*)$")
NOTE = re.compile(r"^ *<!-- (host|meanwhile|answers): (.*) -->$")
ROFF = [(r"\(aq", "'"), (r"\(dq", '"'), (r"\(ha", "^"), (r"\(ti", "~"), (r"\(:u", "ü"), (r"\-", "-"),
        (r"\&", ""), (r"\e", "\\")]


def names():
    """Every page that has commands, relative to the tree."""
    found = glob.glob(harness.SOURCE + "/docs/*.md") + glob.glob(harness.SOURCE + "/docs/man/*.[158]")
    found += [harness.SOURCE + "/" + name for name in ("README.md", "CONTRIBUTING.md")]
    return sorted(os.path.relpath(name, harness.SOURCE) for name in found)


def read(name):
    with open(os.path.join(harness.SOURCE, name), encoding="utf-8") as file:
        return file.read()


def block(info, lines, at, answers=None):
    """`sh elsewhere=google`: its kind and class."""
    words = info.split()
    kind = words[0] if words else ""
    where = words[1].partition("=")[2] if len(words) == 2 and words[1].startswith("elsewhere=") else None
    if kind not in SHELL + OTHER or len(words) > (2 if where else 1):
        raise ValueError(f"line {at}: what kind of block is `{info}`?")
    if where is not None and where not in ELSEWHERE:
        raise ValueError(f"line {at}: there is no class `{where}`")
    return Block(kind, where, lines, at, answers)


def markdown(text):
    """(the host, the blocks); what happens meanwhile is a block of the kind `meanwhile`."""
    host, blocks, fence, lines, answers = "working", [], None, [], None
    for at, line in enumerate(text.splitlines(), 1):
        mark, note = FENCE.match(line), NOTE.match(line)
        if fence is not None:
            if mark and not mark.group(2):
                blocks.append(block(fence[0], lines, fence[1], answers))
                fence, lines, answers = None, [], None
            else:
                lines.append(line[fence[2]:])
        elif mark:
            fence = (mark.group(2), at, len(mark.group(1)))
        elif note and note.group(1) == "host":
            host = note.group(2)
        elif note and note.group(1) == "answers":
            answers = [answer.strip() for answer in note.group(2).split("|")]
        elif note:
            blocks.append(Block("meanwhile", None, [note.group(2)], at, None))
    if fence is not None:
        raise ValueError(f"line {fence[1]}: this block has no end")
    return host, blocks


def plain(line):
    for roff, character in ROFF:
        line = line.replace(roff, character)
    return line


def manual(text):
    """The same for a man page's EXAMPLES. Each display there says its kind."""
    host, blocks, info, lines, inside, begun = "working", [], None, None, False, 0
    for at, line in enumerate(text.splitlines(), 1):
        if line.startswith(".Sh "):
            inside = line == ".Sh EXAMPLES"
        elif not inside:
            continue
        elif lines is not None and line == ".Ed":
            blocks.append(block(info or "", lines, begun))
            info = lines = None
        elif lines is not None:
            lines.append(plain(line))
        elif line.startswith(".Bd -literal"):
            lines, begun = [], at
        elif line.startswith(".Dl "):
            blocks.append(block(info or "", [plain(line[4:])], at))
        elif line.startswith('.\\" meanwhile: '):
            blocks.append(Block("meanwhile", None, [line[len('.\\" meanwhile: '):]], at, None))
        elif line.startswith('.\\" host: '):
            host = line[len('.\\" host: '):]
        elif line.startswith('.\\" '):
            info = line[4:]
    return host, blocks


def parse(name):
    return (markdown if name.endswith(".md") else manual)(read(name))


def complete(text):
    """Whether bash accepts it as complete commands. For bash, an open here-document is only a warning."""
    done = subprocess.run(["bash", "-n"], input=text + "\n", stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode == 0 and not done.stderr and not text.endswith("\\")


def command(text, output=None):
    comment = re.search(r"\s#\s(.*)$", text)
    comment = comment.group(1) if comment else ""
    status = re.search(r"exit status (\d+)", comment)
    return Command(text, output, int(status.group(1)) if status else 0,
                   bool(re.search(r"\basks\b", comment)))


def shell_commands(lines):
    """The commands of a ```sh block."""
    found, text = [], ""
    for line in lines:
        if not text and (not line.strip() or line.lstrip().startswith("#")):
            continue
        text += ("\n" if text else "") + line
        if complete(text):
            found.append(command(text))
            text = ""
    if text:
        raise ValueError(f"bash does not understand: {text}")
    return found


def console_commands(lines):
    """The commands of a ```console block (`# `, continued by `> `), with their output."""
    found = []
    for line in lines:
        if line.startswith("# "):
            found.append([line[2:], []])
        elif not found:
            raise ValueError(f"output before the first command: {line}")
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        else:
            found[-1][1].append(line)
    for text, _ in found:
        if not complete(text):
            raise ValueError(f"bash does not understand: {text}")
    return [command(text, output) for text, output in found]


def commands(piece):
    return console_commands(piece.lines) if piece.kind == "console" else shell_commands(piece.lines)


def gcloud_mistake(text):
    """What in `gcloud …` its reference does not contain; None if all is documented."""
    for name in sorted(GCLOUD, key=len, reverse=True):
        if text.startswith(f"gcloud {name}"):
            wrong = set(re.findall(r"(?<= )--[a-z-]+", text)) - GCLOUD[name]
            return " ".join(wrong) or None
    return text


def line_matches(wanted, line):
    parts = [re.escape(" ".join(part.split())) for part in wanted.split("…")]
    pattern = r"\s*" + ".*".join(part.replace(r"\ ", r"\s+") for part in parts) + r"\s*"
    return re.fullmatch(pattern, line) is not None


def matches(wanted, lines):
    """Whether the lines match those of the page, where `…` is any text, and any lines if it is alone."""
    wanted = [line for line in wanted if line.strip()]
    lines = [line for line in lines if line.strip()]
    reached = {0}
    for want in wanted:
        if want.strip() == "…":
            reached = set(range(min(reached), len(lines) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(lines) and line_matches(want, lines[at])}
        if not reached:
            return False
    return len(lines) in reached
