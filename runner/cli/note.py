"""``runner note``: what a job in any language tells of itself for the record of its run."""

from __future__ import annotations

import os
from pathlib import Path

import click

from runner.errors import TryLater, UserError
from runner.home.product import Maker, Product, find_maker, look_at, record_input, record_note, record_product
from runner.ledger.record import RUN_ID

_path = click.Path(path_type=Path)


@click.command("note")
@click.argument("text", nargs=-1)
@click.option("--product", "products", type=_path, multiple=True, help="A file or directory that the job has made.")
@click.option("--input", "inputs", type=_path, multiple=True, help="A file or directory that it has read.")
@click.option("--no-digest", is_flag=True, help="Do not read the files for their SHA-256.")
def note_command(text: tuple[str, ...], products: tuple[Path, ...], inputs: tuple[Path, ...], no_digest: bool) -> None:
    """Enter TEXT, and files that were made or read, into the record of the run that calls this; its log shows them.

    The same told twice is told once. For jobs only; "runner history RUN" shows it.
    """
    maker = _get_maker()
    if not (text or products or inputs):
        raise UserError("nothing to note: give a text, --product PATH or --input PATH")
    made = [_look_at(path, no_digest=no_digest) for path in products]
    read = [_look_at(path, no_digest=no_digest) for path in inputs]
    try:
        for product in made:
            record_product(maker, product, sync=True)
            _say("product", product)
        for product in read:
            record_input(maker, product)
            _say("input", product)
        if text:
            record_note(maker, " ".join(text))
            click.echo(f"note: {' '.join(text)}")
    except OSError as error:
        raise TryLater(f"journal of {maker.state}: {error.strerror}") from None


def _get_maker() -> Maker:
    maker = find_maker(os.environ)
    if maker is None or not RUN_ID.fullmatch(maker.run_id):
        raise UserError("runner note is for jobs: RUNNER_STATE and RUNNER_RUN_ID of a run are not set here")
    return maker


def _look_at(path: Path, *, no_digest: bool) -> Product:
    try:
        return look_at(path, with_digest=not no_digest)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def _say(kind: str, product: Product) -> None:
    size = "" if product.size_bytes is None else f", {product.size_bytes} bytes"
    click.echo(f"{kind}: {product.path}{size}" + (f", {product.digest}" if product.digest else ""))
