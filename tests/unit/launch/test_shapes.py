"""SEC-9: what looks like a secret whoever made it."""

from __future__ import annotations

import pytest

from runner.launch.scrub import scrub_text

_JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=hunter2", "password=[secret]"),
        ("--PGPASSWORD=hunter2 x", "--PGPASSWORD=[secret] x"),
        ("mysql passwd: hunter2\nx", "mysql passwd: [secret]\nx"),
        ("Api-Key : hunter2", "Api-Key : [secret]"),
        ("client_secret=a,b;c)&x=1", "client_secret=[secret]&x=1"),
        ("db_password = 'a b \"c' y", "db_password = '[secret]' y"),
        ('token="a \\" b" y', 'token="[secret]" y'),
        ('{"token": "abc", "x": 1}', '{"token": "[secret]", "x": 1}'),
        ('{\\"token\\": \\"abc\\"}', '{\\"token\\": \\"[secret]"}'),
        ('"https://h/?apikey=abc" 200', '"https://h/?apikey=[secret]" 200'),
        (":password => 'x'", ":password => '[secret]'"),
        ("secret_key := abc", "secret_key := [secret]"),
        ("aws_secret_access_key = ab/cd+ef", "aws_secret_access_key = [secret]"),
        ("x-amz-security-token: abc", "x-amz-security-token: [secret]"),
        ("password=one password=two", "password=[secret] password=[secret]"),
    ],
)
def test_the_value_of_a_name_like_a_secrets_is_hidden(text: str, shown: str) -> None:
    assert scrub_text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ftp://ana:pw@host/x", "ftp://ana:[secret]@host/x"),
        ("redis://:pw@host", "redis://:[secret]@host"),
        ("git clone 'https://me@x.org:p@ss:w@host/'", "git clone 'https://me@x.org:[secret]@host/'"),
        ("a://b:c@d e://f:g@h", "a://b:[secret]@d e://f:[secret]@h"),
    ],
)
def test_the_password_of_a_url_is_hidden(text: str, shown: str) -> None:
    assert scrub_text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key AKIAIOSFODNN7EXAMPLE.", "key AKIA[secret]."),
        ("ASIAIOSFODNN7EXAMPLE", "ASIA[secret]"),
        (f"Bearer {_JWT}\n", "Bearer eyJ[secret]\n"),
        (f"({_JWT[:60]})", "(eyJ[secret])"),
    ],
)
def test_keys_of_aws_and_web_tokens_are_hidden(text: str, shown: str) -> None:
    assert scrub_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "api=1", "key=value", "token",
        "3 tokens: 5", "password=", "password= \n", "password=''", 'api_key=""', "secret: ",
        "cat: /run/secrets/db_password: Permission denied", "lock locks/refresh-token: Permission denied",
        "std::token::next", "Crypt::Token->new", "http://host:80/x?mail=a@b", "http://ana@host:80",
        "see http://a:b c@d",
        "AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLES", "xAKIAIOSFODNN7EXAMPLE", _JWT.partition(".")[0], "eyJ.eyJ.x",
        "eyJ" + "x" * 2000 + ".eyJ", "a://b:" + "x" * 300 + "@c",
    ],
)  # fmt: skip
def test_other_text_stays_as_it_is(text: str) -> None:
    assert scrub_text(text) == text
