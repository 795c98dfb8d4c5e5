#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The completions of bash, zsh and fish match `cloudinvite help`: every verb and every option."""
import re
import shutil
import subprocess

import harness

FOLDER = harness.SOURCE + "/config/completion"
PROGRAM = harness.BUILD + "/cloudinvite"

# What the completion key gives after the typed words, one word on each line.
BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_cloudinvite
printf '%s\n' "${COMPREPLY[@]}"
"""
FISH = r"""
source $argv[1]
set -l words $argv[2..-1]
complete -C (string join ' ' -- $words) | string split -f1 \t
"""
# zsh completes only at a terminal: a pseudo-terminal for all questions at once. The results are taken where completion
# passes them on (compadd -O).
ZSH = r"""
zmodload zsh/zpty
zpty asked zsh -f -i
zpty -w asked 'PS1= RPS1=; stty -echo; autoload -Uz compinit && compinit -u -D
source '$1'; compdef _cloudinvite cloudinvite
compadd() {
  [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd "$@"; return }
  local -a offered
  builtin compadd -O offered "$@"; print -l -- OFFER=${^offered}; builtin compadd "$@"
}
answer() { _main_complete; compstate[insert]=; compstate[list]=; print ANSWERED }
zle -C answer complete-word answer; bindkey "^I" answer
zstyle ":completion:*" verbose no
print READY'
zpty -r asked line '*READY*'
shift
for words in "$@"; do
  print -r -- "QUESTION=$words"
  zpty -n -w asked $'\x15'"$words"$'\t'
  zpty -r asked line '*ANSWERED*'
  print -r -- "$line"
done
zpty -d asked
"""


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False, timeout=harness.TIMEOUT)
    return done.stdout


def verbs():
    """The verbs that `cloudinvite help` names."""
    return sorted(set(re.findall(r"^  ([a-z]+) ", run(PROGRAM, "help"), re.M)))


def options(verb):
    """The options in the help of a verb, except `--login-hint`, which is another name of --account."""
    said = set(re.findall(r"--[a-z][-a-z]+", run(PROGRAM, "help", verb)))
    return sorted(said - {"--login-hint"} | {"--help"})


def from_bash(words):
    return sorted(set(run("bash", "-c", BASH, "bash", FOLDER + "/cloudinvite.bash", *words).split()))


def from_fish(words):
    return sorted(set(run("fish", "-N", "-c", FISH, FOLDER + "/cloudinvite.fish", *words).split()))


def from_zsh(questions):
    """The answers to each question."""
    said = run("zsh", "-f", "-c", ZSH, "zsh", FOLDER + "/cloudinvite.zsh",
               *(" ".join(words) for words in questions))
    answers = {}
    for part in said.split("QUESTION=")[1:]:
        question, _, rest = part.partition("\n")
        answers[question.replace("\r", "")] = sorted(set(re.findall(r"OFFER=([^\r\n]+)", rest)))
    return answers


class Completion(harness.Test):
    def need(self, shell):
        if not shutil.which(shell):
            self.skipTest(f"{shell} is not installed")

    def assert_completes(self, complete):
        self.assertEqual(complete(["cloudinvite", ""]), verbs())
        for verb in verbs():
            if verb == "help":
                continue
            with self.subTest(verb=verb):
                offered = complete(["cloudinvite", verb, "--"])
                self.assertEqual([word.rstrip("=") for word in offered], options(verb))
        self.assertEqual(complete(["cloudinvite", "approve", "--reason", ""]),
                         ["address_changed", "collision", "discovered", "dry_run", "unconfirmed"])

    def test_bash_knows_every_verb_and_option(self):
        self.need("bash")
        self.assert_completes(from_bash)

    def test_fish_knows_every_verb_and_option(self):
        self.need("fish")
        self.assert_completes(from_fish)

    def test_zsh_knows_every_verb_and_option(self):
        self.need("zsh")
        questions = [["cloudinvite", ""], ["cloudinvite", "approve", "--reason", ""]]
        questions += [["cloudinvite", verb, "--"] for verb in verbs()]
        answers = from_zsh(questions)
        self.assert_completes(lambda words: answers[" ".join(words)])

    def test_options_before_the_verb_are_not_the_verb(self):
        self.need("bash")
        self.assertIn("status", from_bash(["cloudinvite", "-c", "/file", ""]))
        self.need("fish")
        self.assertIn("status", from_fish(["cloudinvite", "-c", "/file", ""]))


if __name__ == "__main__":
    harness.main()
