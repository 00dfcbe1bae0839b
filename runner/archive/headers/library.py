"""The templates that were learnt so far, and which one is likely next."""

from __future__ import annotations

from typing import Final

from runner.archive.headers.columns import Columns
from runner.archive.headers.contents import BLOCK
from runner.archive.headers.exact import Parsed
from runner.archive.headers.recipe import Recipe, Shelf
from runner.archive.headers.template import Template, learn

# What follows one header: each is tried in turn, the one that was right last first.
_MOST_AFTER_ONE: Final = 16
_MOST_TEMPLATES: Final = 1000
_FIRST_GUESS_BYTES: Final = 4 * BLOCK
# What comes before the first header, and before one after a header that has no template.
START: Final = "start"
UNKNOWN: Final = "unknown"


class Library:
    """Templates by the one that came before them in their file.

    So the extensions of one instrument are tried only after its own primary header.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._shelf = Shelf()
        self._after: dict[Template | str, list[Template]] = {}
        self._recipes: dict[tuple[Template, tuple[int, ...]], Recipe] = {}

    def guess_bytes(self, previous: Template | str) -> int:
        """Return how much to read at once for the header that comes after `previous`."""
        after = self._after.get(previous)
        return after[0].size_bytes if after else _FIRST_GUESS_BYTES

    def find(self, previous: Template | str, header: bytes) -> Template | None:
        """Return the template of a header that comes after the one of `previous`."""
        after = self._after.get(previous, ())
        for place, template in enumerate(after):
            if template.is_of(header):
                if place:
                    after.insert(0, after.pop(place))  # type: ignore[union-attr]
                return template
        return None

    def learn(self, previous: Template | str, number: int, parsed: Parsed) -> Template | None:
        """Return the template of a header that none fitted, None if it has none."""
        template = learn(number, parsed, self._columns.keywords)
        if template is None:
            return None
        if sum(map(len, self._after.values())) >= _MOST_TEMPLATES:
            self._after.clear()
            self._recipes.clear()
        after = self._after.setdefault(previous, [])
        after.insert(0, template)
        del after[_MOST_AFTER_ONE:]
        return template

    def get_recipe(self, template: Template, numbers: tuple[int, ...]) -> Recipe:
        """Return how these columns are filled from headers of a template."""
        recipe = self._recipes.get((template, numbers))
        if recipe is None:
            if len(self._recipes) >= _MOST_TEMPLATES:
                self._recipes.clear()
            recipe = self._recipes[template, numbers] = Recipe(template, self._columns, numbers, self._shelf)
        return recipe
