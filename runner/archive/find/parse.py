"""From the text of an expression to what it says; each mistake with its place (ARCH-40).

The grammar, ``or`` binding least::

    either     = both {"or" both}
    both       = one {"and" one}
    one        = {"not"} ("(" either ")" | cone | question)
    cone       = "cone" "(" RA "," DEC "," RADIUS ")"
    question   = name sign value | name ["not"] "in" "(" value {"," value} ")" | name ["not"] "like" TEXT
               | name ["not"] "between" value "and" value | name "is" ["not"] "null"
    name       = COLUMN | FITS-KEYWORD | "header" "." (KEYWORD | TEXT)
"""

from __future__ import annotations

from collections.abc import Callable

from runner.archive.find import literals
from runner.archive.find.fields import Fields, make_card
from runner.archive.find.tree import CARD, And, Compare, Condition, Cone, Field, In, IsNull, Like, Not, Or, Value
from runner.archive.find.words import DATE, END, NAME, NUMBER, SIGN, TEXT, Mistake, Word, quote, split_words
from runner.document.faults import suggest

# SQLite takes expressions that are 1000 deep; a chain is as deep as it is long, and a cone is up to four links of it.
MOST_QUESTIONS = 200
DEEPEST = 50
_OPERATORS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_WORDS = frozenset({"and", "or", "not", "in", "like", "between", "is", "null"})


def parse_expression(source: str, fields: Fields) -> Condition | None:
    """Return what an expression says, None where it is empty; UserError for each mistake."""
    parser = _Parser(source, fields)
    if parser.word.kind == END:
        return None
    condition = parser.read_either()
    parser.read_end('"and", "or" or the end is expected')
    return condition


def parse_columns(source: str, fields: Fields) -> tuple[Field, ...]:
    """Return the fields of a list like ``path, EXPTIME, header.GAIN``, each once."""
    return tuple(dict.fromkeys(field for field, _ in _parse_list(source, fields, is_sort=False)))


def parse_sort(source: str, fields: Fields) -> tuple[tuple[Field, bool], ...]:
    """Return the fields to sort by, and whether each falls: it does with a ``-`` before it."""
    return tuple(_parse_list(source, fields, is_sort=True))


def _parse_list(source: str, fields: Fields, *, is_sort: bool) -> list[tuple[Field, bool]]:
    parser = _Parser(source, fields)
    found: list[tuple[Field, bool]] = []
    while not found or parser.take_sign(","):
        falls = is_sort and parser.take_sign("-")
        place = parser.word.place
        field = parser.read_field()
        if is_sort and field.type == CARD:
            raise Mistake(source, place, "a value of a header has no type to sort by", "make it a column")
        found.append((field, falls))
    parser.read_end('"," or the end is expected')
    return found


class _Parser:
    """The words of one text, read from the left."""

    def __init__(self, source: str, fields: Fields) -> None:
        self._source = source
        self._fields = fields
        self._words = split_words(source)
        self._at = self._depth = self._questions = 0

    @property
    def word(self) -> Word:
        """The next word."""
        return self._words[self._at]

    def read_either(self) -> Condition:
        """Read conditions with ``or`` between them."""
        return self._read_parts("or", lambda: self._read_parts("and", self._read_one, And), Or)

    def read_field(self) -> Field:
        """Read a name."""
        word = self.word
        if word.kind != NAME or word.text.lower() in _WORDS:
            hint = "a name has no quotes" if word.kind == TEXT else ""
            raise self._wrong(word, f"the name of a column is expected{self._but_is(word)}", hint)
        self._at += 1
        if word.text.lower() == "header" and self.take_sign("."):
            return self._read_card(word)
        field = self._fields.find_field(word.text)
        if field is None:
            near = {*self._fields.by_name, *(keyword.lower() for keyword in self._fields.by_keyword)}
            hint = suggest(word.text, near) or "other keywords are asked for as header.KEYWORD"
            raise self._wrong(word, f"no column is called {quote(word.text)}", hint)
        return field

    def take_sign(self, sign: str) -> bool:
        """Read a sign if it comes next, and say whether it did."""
        return self._take(SIGN, sign)

    def read_end(self, expected: str) -> None:
        """Make sure that nothing is left."""
        if self.word.kind != END:
            raise self._wrong(self.word, f"{expected}{self._but_is(self.word)}")

    def _read_parts(
        self, between: str, read: Callable[[], Condition], join: Callable[[tuple[Condition, ...]], Condition]
    ) -> Condition:
        parts = [read()]
        while self._take(NAME, between):
            parts.append(read())
        return join(tuple(parts)) if len(parts) > 1 else parts[0]

    def _read_one(self) -> Condition:
        word = self.word
        if self._take(NAME, "not"):
            return self._go_deeper(word, lambda: Not(self._read_one()))
        if self.take_sign("("):
            inner = self._go_deeper(word, self.read_either)
            self._expect(")")
            return inner
        self._count(word)
        if word.kind == NAME and word.text.lower() == "cone" and self._words[self._at + 1].text == "(":
            return self._read_cone()
        return self._read_question()

    def _go_deeper(self, word: Word, read: Callable[[], Condition]) -> Condition:
        if self._depth == DEEPEST:
            raise self._wrong(word, f"more than {DEEPEST} parentheses or nots are open here")
        self._depth += 1
        inner = read()
        self._depth -= 1
        return inner

    def _count(self, word: Word) -> None:
        self._questions += 1
        if self._questions > MOST_QUESTIONS:
            hint = "many values of one column are written NAME in (...)"
            raise self._wrong(word, f"an expression has at most {MOST_QUESTIONS} conditions", hint)

    def _read_question(self) -> Condition:
        field = self.read_field()
        word = self.word
        if word.kind == SIGN and word.text in _OPERATORS:
            return self._read_comparison(field)
        if self._take(NAME, "is"):
            is_not = self._take(NAME, "not")
            self._expect("null", NAME)
            return Not(IsNull(field)) if is_not else IsNull(field)
        is_not = self._take(NAME, "not")
        for name, read in (("in", self._read_in), ("like", self._read_like), ("between", self._read_between)):
            if self._take(NAME, name):
                return Not(read(field)) if is_not else read(field)
        expected = "in, like or between" if is_not else "a comparison (= != < <= > >=), in, like, between or is"
        raise self._wrong(self.word, f"{expected} is expected{self._but_is(self.word)}")

    def _read_comparison(self, field: Field) -> Condition:
        word = self.word
        operator = _OPERATORS[word.text]
        self._at += 1
        if self.word.text.lower() == "null" and self.word.kind == NAME:
            hint = "write is null" if operator == "=" else "write is not null"
            raise self._wrong(self.word, "nothing is equal to null", hint)
        read = self._read_value if operator in ("=", "!=") else self._read_ordered
        return Compare(field, operator, read(field))

    def _read_in(self, field: Field) -> Condition:
        self._expect("(")
        values = [self._read_value(field)]
        while self.take_sign(","):
            # Such values are as many comparisons.
            if field.type in ("time", CARD) or self.word.kind == DATE:
                self._count(self.word)
            values.append(self._read_value(field))
        self._expect(")")
        return In(field, tuple(values))

    def _read_like(self, field: Field) -> Condition:
        if field.type not in ("text", CARD):
            raise self._wrong(self._words[self._at - 1], f'"{field.name}" is {literals.KINDS[field.type]}, no text')
        if self.word.kind != TEXT:
            raise self._wrong(self.word, f"a pattern in quotes is expected{self._but_is(self.word)}")
        self._at += 1
        return Like(field, self._words[self._at - 1].text)

    def _read_between(self, field: Field) -> Condition:
        self._count(self.word)
        low = self._read_ordered(field)
        self._expect("and", NAME)
        return And((Compare(field, ">=", low), Compare(field, "<=", self._read_ordered(field))))

    def _read_ordered(self, field: Field) -> Value:
        word = self.word
        value = self._read_value(field)
        if isinstance(value, bool):
            raise self._wrong(word, "true and false have no order", "use = or !=")
        return value

    def _read_value(self, field: Field) -> Value:
        word = self.word
        if word.kind not in (TEXT, NUMBER, DATE, NAME):
            raise self._wrong(word, f"a value is expected{self._but_is(word)}")
        self._at += 1
        return self._convert(word, lambda: literals.parse_value(word, field))

    def _read_cone(self) -> Condition:
        word = self.word
        if self._fields.ra is None or self._fields.dec is None:
            hint = "see columns in envs/archive.yaml"
            raise self._wrong(word, "this home has no columns of the types ra and dec to ask", hint)
        self._at += 2
        ra = self._read_degrees(literals.parse_ra)
        self._expect(",")
        dec = self._read_degrees(literals.parse_dec)
        self._expect(",")
        radius = self._read_degrees(literals.parse_radius)
        self._expect(")")
        return Cone(self._fields.ra, self._fields.dec, ra, dec, radius)

    def _read_degrees(self, parse: Callable[[Word], float]) -> float:
        word = self.word
        if word.kind not in (NUMBER, TEXT):
            raise self._wrong(word, f"cone takes ra, dec and radius in degrees{self._but_is(word)}")
        self._at += 1
        return self._convert(word, lambda: parse(word))

    def _convert(self, word: Word, convert: Callable[[], literals.T]) -> literals.T:
        try:
            return convert()
        except ValueError as error:
            raise self._wrong(word, str(error)) from None

    def _read_card(self, word: Word) -> Field:
        if not self._fields.has_headers:
            hint = 'write "header: true" in envs/archive.yaml, and index again'
            raise self._wrong(word, "this home keeps no whole headers", hint)
        keyword = self.word
        if keyword.kind not in (NAME, TEXT) or not keyword.text.strip():
            raise self._wrong(keyword, 'a FITS keyword is expected, like header.GAIN or header."ESO INS NAME"')
        self._at += 1
        return make_card(keyword.text)

    def _take(self, kind: str, text: str) -> bool:
        is_next = self.word.kind == kind and self.word.text.lower() == text
        self._at += is_next
        return is_next

    def _expect(self, text: str, kind: str = SIGN) -> None:
        if not self._take(kind, text):
            raise self._wrong(self.word, f'"{text}" is expected{self._but_is(self.word)}')

    def _but_is(self, word: Word) -> str:
        return " where it ends" if word.kind == END else f", not {literals.show_word(word)}"

    def _wrong(self, word: Word, message: str, hint: str = "") -> Mistake:
        return Mistake(self._source, word.place, message, hint)
