# SPDX-License-Identifier: Apache-2.0
"""C source as tokens and statements, as far as a mutation needs it: what may be changed, and in which function.

A full parser is not needed: the compiler refuses a change that is not C, and it is not counted.
"""
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|\\\n)
  | (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
  | (?P<char>[uUL]?'(?:\\.|[^'\\\n])+')
  | (?P<number>\.?[0-9](?:[eEpP][+-]|[\w.])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<mark><<=|>>=|\.{3}|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
""", re.VERBOSE | re.DOTALL)
DIRECTIVE = re.compile(r"[ \t]*#(?:[^\n\\]|\\.)*", re.DOTALL)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+((?:[^\n\\]|\\.)+)", re.MULTILINE | re.DOTALL)
OPEN = {"(": ")", "[": "]", "{": "}"}
KEYWORDS = frozenset("_Static_assert break case continue default do else for goto if return sizeof switch "
                     "while".split())
TYPES = frozenset("_Bool bool char const double enum extern float int long register short signed static struct union "
                  "unsigned void volatile".split())
INTEGER = frozenset("char int long short signed unsigned".split())


class Token:
    """One token, where it stands in the text, and the index of the bracket that closes or opens it."""
    __slots__ = ("kind", "text", "start", "end", "match")

    def __init__(self, kind, text, start):
        self.kind, self.text, self.start, self.end, self.match = kind, text, start, start + len(text), None


def tokens_of(text):
    """The tokens without spaces, comments and preprocessor lines; brackets know each other."""
    found, at, new_line, waiting = [], 0, True, []
    while at < len(text):
        directive = DIRECTIVE.match(text, at) if new_line else None
        if directive:
            at = directive.end()
            continue
        match = TOKEN.match(text, at)
        kind, at = match.lastgroup, match.end()
        if kind == "space":
            new_line = new_line or "\n" in match.group()
            continue
        new_line = False
        if kind == "comment":
            continue
        token = Token(kind, match.group(), match.start())
        if token.text in OPEN:
            waiting.append(len(found))
        elif token.text in OPEN.values() and waiting:
            token.match = waiting.pop()
            found[token.match].match = len(found)
        found.append(token)
    return found


def directives_of(text):
    return [(match.group(1), match.group(2)) for match in DEFINE.finditer(text)]


class Names:
    """The enumerations and the numeric macros of headers."""

    def __init__(self):
        self.enums = {}    # a constant: the constants of its enumeration, in order
        self.tagged = {}   # the enumeration's name: its constants
        self.numeric = {"INT64_C", "UINT64_C", "INT64_MAX", "INT64_MIN", "INT_MAX", "UINT32_MAX", "SIZE_MAX"}
        self.macros = {}
        self.casts = {}    # a macro that casts to an enumeration: its constants

    def read(self, text):
        tokens = tokens_of(text)
        for at, token in enumerate(tokens):
            if token.text != "enum":
                continue
            tag = tokens[at + 1].text if tokens[at + 1].kind == "word" else ""
            brace = at + (2 if tag else 1)
            if brace < len(tokens) and tokens[brace].text == "{" and tokens[brace].match:
                inside = tokens[brace + 1:tokens[brace].match]
                constants = [token.text for place, token in enumerate(inside)
                             if token.kind == "word" and (place == 0 or inside[place - 1].text == ",")]
                self.tagged[tag] = constants
                self.enums.update({constant: constants for constant in constants})
        self.macros.update(directives_of(text))

    def close(self):
        """Finds the macros that are numbers, after all headers are read."""
        grown = True
        while grown:
            grown = False
            for name, body in self.macros.items():
                if name not in self.numeric and self._is_numeric(body):
                    self.numeric.add(name)
                    grown = True
        for name, body in self.macros.items():
            cast = re.fullmatch(r"\(\(enum (\w+)\)\s*\w+\)", body.strip())
            if cast and cast.group(1) in self.tagged:
                self.casts[name] = self.tagged[cast.group(1)]
        self.numeric -= {"INT64_C", "UINT64_C"}

    def _is_numeric(self, body):
        tokens = tokens_of(body)
        return bool(tokens) and all(
            token.kind == "number" or token.text in "( ) + - * / % << >>".split() or token.text in self.numeric or
            token.text in self.enums for token in tokens)


class Body:
    """A function's body or a table's initialiser: the tokens from `first` to `last`, both brackets included."""

    def __init__(self, name, returns, first, last):
        self.name, self.returns, self.first, self.last = name, returns, first, last


def bodies(tokens):
    """The functions and initialised tables of a file. `returns` is None for a table."""
    at, begin = 0, 0
    while at < len(tokens):
        text = tokens[at].text
        if text == ";":
            begin = at + 1
        elif text in "([" and tokens[at].match:
            at = tokens[at].match
        elif text == "{" and tokens[at].match:
            body = named(tokens, begin, at)
            if body:
                yield body
            at = tokens[at].match
            begin = begin if at + 1 < len(tokens) and tokens[at + 1].text in ("=", ";") else at + 1
        at += 1


def named(tokens, begin, brace):
    before = tokens[brace - 1]
    if before.text == ")":
        name = before.match - 1
        return Body(tokens[name].text, return_kind(tokens[begin:name]), brace, tokens[brace].match)
    if before.text == "=":
        name = brace - 2
        while tokens[name].text == "]":
            name = tokens[name].match - 1
        return Body(tokens[name].text, None, brace, tokens[brace].match)
    return None


def return_kind(tokens):
    words = [token.text for token in tokens]
    if "*" in words:
        return "pointer"
    for kind in ("bool", "void", "enum", "struct", "union"):
        if kind in words:
            return kind
    return "integer" if any(word in INTEGER or word.endswith("_t") for word in words) else "other"


class Statements:
    """Walks through a function's body and calls on(kind, first, last): `last` is the index behind the last token.

    The kinds: "condition" (of if and ?:), "loop" (the condition of while and for), "expression" (with its
    semicolon), "return" (the value), "return_void", "break", "case" (the label with its colon).
    """

    def __init__(self, tokens, on):
        self.tokens, self.on = tokens, on

    def text(self, at):
        return self.tokens[at].text

    def block(self, at, last):
        while at < last:
            at = self.statement(at)
        return last

    def until(self, at, mark):
        """The index of the next `mark` outside of brackets."""
        while self.text(at) != mark:
            at = (self.tokens[at].match if self.text(at) in OPEN else at) + 1
        return at

    def statement(self, at):
        text = self.text(at)
        if text == "{":
            return self.block(at + 1, self.tokens[at].match) + 1
        if text == ";":
            return at + 1
        if text == "else":
            return self.statement(at + 1)
        if text in ("if", "while", "switch", "for"):
            return self.headed(at)
        if text == "do":
            at = self.statement(at + 1)
            self.on("loop", at + 2, self.tokens[at + 1].match)
            return self.until(at, ";") + 1
        if text in ("case", "default"):
            colon = self.until(at, ":")
            self.on("case", at, colon + 1)
            return colon + 1
        end = self.until(at, ";")
        if text == "return" and end == at + 1:
            self.on("return_void", at, end + 1)
        elif text == "return":
            self.on("return", at + 1, end)
        elif text == "break":
            self.on("break", at, end + 1)
        elif text not in KEYWORDS and not self.is_declaration(at):
            self.on("expression", at, end + 1)
        return end + 1

    def headed(self, at):
        """if, while, switch, for: the condition, then the statement that it governs."""
        text, first, last = self.text(at), at + 2, self.tokens[at + 1].match
        if text == "if":
            self.on("condition", first, last)
        elif text == "while":
            self.on("loop", first, last)
        elif text == "for":
            first = self.until(first, ";") + 1
            end = self.until(first, ";")
            if end > first:
                self.on("loop", first, end)
        at = self.statement(last + 1)
        if text == "if" and at < len(self.tokens) and self.text(at) == "else":
            at = self.statement(at + 1)
        return at

    def is_declaration(self, at):
        first, second = self.tokens[at], self.tokens[at + 1]
        return first.kind == "word" and (first.text in TYPES or first.text.endswith("_t") or second.kind == "word")
