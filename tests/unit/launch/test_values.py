"""SEC-9: the values of loaded secrets, in whatever form a program shows them."""

from __future__ import annotations

import base64
import json
import re
import shlex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runner.launch.scrub import scrub_text
from runner.launch.values import list_forms

_FORMS = {
    "raw": str,
    "a URL": lambda secret: quote(secret, safe=""),
    "a path of a URL": quote,
    "a form": quote_plus,
    "a URL in small letters": lambda secret: re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="")),
    "quotes of a shell": lambda secret: shlex.quote(secret).strip("'"),
    "set -x": lambda secret: secret.replace("'", "'\\''"),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON of Unicode": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON of PHP": lambda secret: json.dumps(secret).replace("/", "\\/")[1:-1],
    "Python": lambda secret: repr(secret)[1:-1],
    "bytes of Python": lambda secret: repr(secret.encode())[2:-1],
}  # fmt: skip
# What stands in brackets could be the scrubber's own.
_secrets = st.text(st.characters(exclude_characters="[]\0", exclude_categories=["Cs"]), min_size=8, max_size=40)
_surroundings = st.text(st.sampled_from("ab -\n\t.,(){}"), max_size=12)


@pytest.mark.parametrize("form", _FORMS)
@given(secret=_secrets, before=_surroundings, after=_surroundings)
def test_a_secret_is_hidden_in_each_form(form: str, secret: str, before: str, after: str) -> None:
    shown = _FORMS[form](secret)
    assume(secret[:1] + secret[-1:] != "''" and shown not in before + after)

    scrubbed = scrub_text(f"{before}{shown}{after}", list_forms([secret]))

    assert "[secret]" in scrubbed
    assert shown not in scrubbed


@given(secret=_secrets, before=st.binary(max_size=7), after=st.binary(max_size=7), is_for_urls=st.booleans())
def test_a_secret_in_base64_is_hidden_but_for_bits_of_its_neighbours(
    secret: str, before: bytes, after: bytes, is_for_urls: bool
) -> None:
    encode = base64.urlsafe_b64encode if is_for_urls else base64.b64encode
    text = encode(before + secret.encode() + after).decode()

    left = scrub_text(f"({text})", list_forms([secret])).replace("[secret]", "", 1)

    assert len(left) - 2 <= len(text) - len(secret.encode()) * 8 // 6 + 2
    assert left[:1] + left[-1:] == "()"


def test_a_secret_without_padding_is_hidden_to_its_last_letter() -> None:
    for secret in ("12345678", "123456789", "1234567890"):
        text = base64.b64encode(secret.encode()).decode()
        assert {scrub_text(shown, list_forms([secret])) for shown in (text, text.rstrip("="))} == {"[secret]"}


def test_of_two_secrets_that_begin_alike_the_longer_is_hidden_whole() -> None:
    forms = list_forms(["password", "password-of-ana"])

    assert scrub_text("password password-of-ana password-of-bob", forms) == "[secret] [secret] [secret]-of-bob"


def test_a_secret_may_have_lines_and_bytes_that_are_no_text() -> None:
    secret = "-----BEGIN KEY-----\nab\udcffcd\n-----END KEY-----"

    assert scrub_text(f"x\n{secret}\ny", list_forms([secret])) == "x\n[secret]\ny"


def test_what_is_too_short_to_tell_is_no_secret() -> None:
    assert list_forms(["1234567", ""]) == []


def test_forms_of_a_plain_secret_are_few() -> None:
    """Each is looked for in all that a job says."""
    assert len(list_forms(["ghp16C7e42F292c6912E7710c838347Ae178B4a"])) <= 10
