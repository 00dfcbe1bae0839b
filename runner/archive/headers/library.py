"""The templates that were learnt so far, and which one is likely next."""

from __future__ import annotations

from typing import Final

from runner.archive.headers.columns import Columns
from runner.archive.headers.exact import Parsed
from runner.archive.headers.recipe import Asked, Recipe, Shelf
from runner.archive.headers.template import Template, learn

# What came after one header: each is tried in turn, the one that was right last first.
_MOST_AFTER_ONE: Final = 16
_MOST_TEMPLATES: Final = 300
_MOST_RECIPES: Final = 64


class Library:
    """Templates, each among those that came after the one before it in their file.

    So the extensions of one instrument are tried only after its own primary header.

    Attributes
    ----------
    start, unknown
        Of primary headers; and of those that came after one that has no template.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._shelf = Shelf()
        self._count = 0
        self.start: list[Template] = []
        self.unknown: list[Template] = []

    def learn(self, after: list[Template], number: int, parsed: Parsed) -> Template | None:
        """Return the template of a header that none of `after` fitted, None if it has none."""
        template = learn(number, parsed, self._columns.keywords)
        if template is None:
            return None
        self._count += 1
        if self._count > _MOST_TEMPLATES:
            # All others hang on these.
            self.start.clear()
            self.unknown.clear()
            self._count = 0
        after.insert(0, template)
        del after[_MOST_AFTER_ONE:]
        return template

    def make_recipe(self, template: Template, asked: Asked) -> Recipe:
        """Return how these columns are filled from headers of a template, and remember it there."""
        if len(template.recipes) >= _MOST_RECIPES:
            template.recipes.clear()
        recipe = template.recipes[asked] = Recipe(template, self._columns, asked, self._shelf)
        return recipe


def find_template(after: list[Template], header: bytes) -> Template | None:
    """Return the template of a header, which then is the first of `after`."""
    for place, template in enumerate(after):
        if template.is_of(header):
            if place:
                after.insert(0, after.pop(place))
            return template
    return None
