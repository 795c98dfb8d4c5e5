# SPDX-License-Identifier: Apache-2.0
"""The mutations: what is changed in a C file, one place at a time.

A mutant's name does not depend on line numbers. Its fields are parted by ':' — file, function or table, operator, the
text that is changed, the text that stands there instead, and the how-manieth change of this kind it is in the function.
"""
import collections
import dataclasses
import re

from c_source import OPEN, Statements, bodies, tokens_of

COMPARE = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
# Where both sides are numbers that vary, equality has neighbours as well.
EQUAL = {"==": ("<=", ">="), "!=": ("<", ">")}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "|": "&", "&": "|", "<<": ">>", ">>": "<<", "++": "--",
              "--": "++", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|="}
ASSIGN = frozenset("= += -= *= /= %= |= &= ^= <<= >>=".split())
# What ends an operand of && and ||, to the left and to the right.
ENDS = frozenset("&& || ? : , ; return".split()) | ASSIGN
ENUMERATION = re.compile("state|reason|kind|verdict|priority|scope")
NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)")
NO_EFFECT = re.compile(r"\(void\)\w+(,\(void\)\w+)*;")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change: the bytes from `start` to `end` of the file become `text`."""
    path: str
    function: str
    operator: str
    old: str
    new: str
    ordinal: int
    start: int
    end: int
    text: str

    @property
    def name(self):
        return ":".join((self.path, self.function, self.operator, self.old, self.new, str(self.ordinal)))

    def apply(self, source):
        return source[:self.start] + self.text + source[self.end:]

    def diff(self, source):
        """The line number, and the changed lines before and after, each on one line."""
        first = source.rfind("\n", 0, self.start) + 1
        last = source.find("\n", self.end)
        before, after = source[first:last], source[first:self.start] + self.text + source[self.end:last]
        return source.count("\n", 0, self.start) + 1, " ".join(before.split()), " ".join(after.split())


class Mutations:
    """All mutants of one file."""

    def __init__(self, path, source, names):
        self.path, self.source, self.names = path, source, names
        self.tokens = tokens_of(source)
        self.body, self.found, self.counts = None, {}, collections.Counter()
        for self.body in bodies(self.tokens):
            self.by_token()
            if self.body.returns is not None:
                Statements(self.tokens, self.by_statement).block(self.body.first + 1, self.body.last)

    def __iter__(self):
        return iter(sorted(self.found.values(), key=lambda mutant: (mutant.start, mutant.name)))

    # ---- what tokens say ----

    def text(self, at):
        return self.tokens[at].text

    def compact(self, first, last):
        """The tokens without space, but between two words."""
        parts = []
        for token in self.tokens[first:last]:
            if parts and re.match(r"\w", token.text) and re.search(r"\w$", parts[-1]):
                parts.append(" ")
            parts.append(token.text)
        return "".join(parts)

    def written(self, first, last):
        return self.source[self.tokens[first].start:self.tokens[last - 1].end]

    def add(self, operator, first, last, text, new=None):
        """`text` in place of the tokens from `first` to before `last`; a second change to the same is left out."""
        start, end = self.tokens[first].start, self.tokens[last - 1].end
        if self.source[start:end] == text or (start, end, text) in self.found:
            return
        key = (self.body.name, operator, self.compact(first, last), " ".join((text if new is None else new).split()))
        self.counts[key] += 1
        self.found[start, end, text] = Mutant(self.path, *key, self.counts[key], start, end, text)

    def is_binary(self, at):
        """Whether the mark at `at` stands between two operands; a declaration's `*` does not."""
        before = self.tokens[at - 1]
        if before.text == ")":
            inside = [token.text for token in self.tokens[before.match + 1:at - 1]]
            is_cast = all(re.fullmatch(r"\*|const|struct|enum|unsigned|int|long|char|bool|void|\w+_t", text) or
                          inside[place - 1] in ("struct", "enum") for place, text in enumerate(inside))
            return not is_cast and self.text(before.match - 1) not in ("if", "while", "for", "switch")
        if before.kind == "word" and self.text(at) in "*&":
            return not (self.text(at - 2) in ("struct", "enum", "union", "const") or before.text.endswith("_t") or
                        before.text in ("char", "int", "void", "bool", "const", "return"))
        return before.kind in ("word", "number", "char") and before.text != "return" or before.text == "]"

    def operand(self, at, step):
        """The tokens (first, last) of the operand of && or || at `at`, to its left (-1) or right (1)."""
        place = at + step
        while True:
            token = self.tokens[place]
            if token.text in ENDS or (token.text in OPEN if step < 0 else token.text in OPEN.values()):
                break
            if token.match is not None:
                place = token.match
            place += step
        return (place + 1, at) if step < 0 else (at + 1, place)

    def is_leaf(self, first, last):
        """Whether the condition is neither a comparison nor made of others: those have changes of their own."""
        if self.text(first) == "!":
            return False
        while self.text(first) == "(" and self.tokens[first].match == last - 1:
            first, last = first + 1, last - 1
        at = first
        while at < last:
            if self.text(at) in COMPARE or self.text(at) in ("&&", "||", "?"):
                return False
            at = (self.tokens[at].match if self.text(at) in OPEN else at) + 1
        return True

    # ---- changes that a token alone calls for ----

    def by_token(self):
        in_case = False
        for at in range(self.body.first, self.body.last):
            token = self.tokens[at]
            if token.text in ("case", ":"):
                in_case = token.text == "case"
            if in_case or self.is_designator(at):
                continue
            if token.text == "{" and self.text(at + 1) in (".", "["):
                self.by_element(at)
            elif token.kind == "mark":
                self.by_mark(at)
            elif token.kind in ("number", "char"):
                self.by_number(at)
            elif token.kind == "word":
                self.by_word(at)

    def is_designator(self, at):
        """[X] = in an initialiser: its removal is another change."""
        return self.text(at - 1) == "[" and self.text(at + 1) == "]" and self.text(at + 2) == "="

    def by_mark(self, at):
        text = self.text(at)
        if text in COMPARE:
            varied = EQUAL.get(text, ()) if self.varies(at - 1) and self.varies(at + 1) else ()
            for other in COMPARE[text] + varied:
                self.add("compare", at, at + 1, other)
        elif text in ("&&", "||"):
            self.add("logic", at, at + 1, "||" if text == "&&" else "&&")
            for step in (-1, 1):
                first, last = self.operand(at, step)
                self.negate(first, last)
                self.add("drop", first, last, "1" if text == "&&" else "0")
        elif text == "!":
            self.add("logic", at, at + 1, " ", "")
        elif text == "?":
            first, last = self.operand_of_choice(at)
            self.by_condition(first, last)
        elif text in ("++", "--") or text in ASSIGN and text in ARITHMETIC:
            self.add("arithmetic", at, at + 1, ARITHMETIC[text])
        elif text in ARITHMETIC and self.is_binary(at):
            self.add("arithmetic", at, at + 1, ARITHMETIC[text])

    def operand_of_choice(self, at):
        """The condition before a `?`: it may hold && and ||."""
        place = at - 1
        while not (self.text(place) in ENDS - {"&&", "||"} or self.text(place) in OPEN):
            place = (self.tokens[place].match if self.tokens[place].match is not None else place) - 1
        return place + 1, at

    def varies(self, at):
        """Whether a variable number ends or begins here: no constant, and nothing that is named like an enumeration."""
        token = self.tokens[at]
        return token.kind == "word" and token.text != "NULL" and token.text not in self.names.enums and \
            token.text not in self.names.casts and not ENUMERATION.search(token.text)

    def by_number(self, at):
        token = self.tokens[at]
        if token.kind == "char":
            if token.text == "'\\0'":
                self.add("number", at, at + 1, "'\\1'")
            return
        match = NUMBER.fullmatch(token.text)
        if not match:
            return
        value, suffix = int(match.group(1), 0), match.group(2)
        index = self.text(at - 1) == "[" and self.text(at + 1) == "]"
        for other in (value + 1,) if index else (value + 1, value - 1, 0):
            self.add("number", at, at + 1, f"({other}{suffix})" if other < 0 else f"{other}{suffix}", f"{other}")

    def by_word(self, at):
        word = self.text(at)
        if word in ("true", "false"):
            self.add("constant", at, at + 1, "false" if word == "true" else "true")
        elif word in self.names.enums:
            constants = self.names.enums[word]
            self.add("constant", at, at + 1, constants[(constants.index(word) + 1) % len(constants)])
        elif word in self.names.casts:
            self.add("constant", at, at + 1, self.names.casts[word][0])
        elif word in self.names.numeric:
            self.add("number", at, at + 1, f"({word} + 1)")
            self.add("number", at, at + 1, f"({word} - 1)")

    # ---- changes that a statement calls for ----

    def negate(self, first, last):
        if self.is_leaf(first, last):
            self.add("negate", first, last, f"!({self.written(first, last)})", "!")

    def by_condition(self, first, last):
        """The condition is negated, and holds always or never."""
        self.negate(first, last)
        self.add("always", first, last, "1")
        self.add("never", first, last, "0")

    def by_statement(self, kind, first, last):
        if kind == "condition":
            self.by_condition(first, last)
        elif kind == "loop":
            self.negate(first, last)
        elif kind == "return":
            self.by_return(first, last)
        elif kind == "case":
            self.by_case(first, last)
        elif kind == "expression" and not NO_EFFECT.fullmatch(self.compact(first, last)):
            self.remove(first, last)
        elif kind == "break" and not self.only_breaks(last) or kind == "return_void" and last != self.body.last:
            self.remove(first, last)

    def remove(self, first, last):
        self.add("remove", first, last, ";", "")

    def by_return(self, first, last):
        single = last == first + 1 and (self.tokens[first].kind == "number" or self.text(first) in ("true", "false"))
        if single or self.body.returns not in ("bool", "integer", "pointer"):
            return
        if self.body.returns == "bool":
            self.add("return", first, last, "true")
            self.add("return", first, last, "false")
        elif self.body.returns == "integer":
            self.add("return", first, last, "0")
        elif self.text(first) != "NULL":
            self.add("return", first, last, "NULL")

    def by_case(self, first, last):
        if self.text(first) == "case" and not self.only_breaks(last):
            self.remove(first, last)

    def only_breaks(self, at):
        """Whether what follows in a switch does nothing: its end, or labels and a `break`."""
        while self.text(at) in ("case", "default"):
            while self.text(at) != ":":
                at += 1
            at += 1
        return self.text(at) in ("break", "}")

    def by_element(self, brace):
        """The elements of an initialiser that name their place ([X] = … or .x = …), one after the other taken away."""
        at, end = brace + 1, self.tokens[brace].match
        while at < end:
            last = at
            while last < end and self.text(last) != ",":
                last = (self.tokens[last].match if self.text(last) in OPEN else last) + 1
            if self.text(at) == "." or self.text(at) == "[":
                self.add("remove", at, min(last + 1, end), " ", "")
            at = last + 1
