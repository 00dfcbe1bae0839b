"""PROF-4, SEC-7: secrets come from files when the run starts, and are told to nobody but the job."""

from pathlib import Path

import pytest
from lab import CANARY, SLOT, Lab


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{CANARY}\n")
    path.chmod(0o600)
    return path


def test_a_secret_is_in_the_jobs_environment_and_nowhere_else(lab: Lab, token: Path) -> None:
    lab.job("job", 'printf %s "$TOKEN" >../seen', secrets=[("TOKEN", str(token))], cwd="state")

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, result.err) == (0, b"")
    assert (lab.home / "seen").read_text() == CANARY
    lab.assert_clean("job")


def test_a_changed_secret_is_what_the_next_run_gets(lab: Lab, token: Path) -> None:
    lab.job("job", 'echo "$TOKEN"', secrets=[("TOKEN", str(token))])
    token.write_text("another\n")

    lab.run("job", "--slot", SLOT)

    assert lab.output("job") == b"another\n"


def test_the_digest_of_the_environment_tells_nothing_of_a_secret(lab: Lab, token: Path) -> None:
    lab.job("job", "true", secrets=[("TOKEN", str(token))])
    digests = []
    for value in ("one", "other"):
        token.write_text(value)
        lab.run("job")
        digests.append([line for line in lab.log("job").splitlines() if b"environment digest" in line])

    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("content", "trouble"),
    [(None, "No such file or directory"), (b"\n", "it is empty"), (b"a\0b", "it has a NUL in it")],
)
def test_a_job_does_not_start_without_its_secret(lab: Lab, token: Path, content: bytes | None, trouble: str) -> None:
    if content is None:
        token.unlink()
    else:
        token.write_bytes(content)
    lab.job("job", f"touch {lab.home}/ran", secrets=[("TOKEN", str(token))])

    result = lab.run("job", "--slot", SLOT)

    assert (result.code, lab.end("job")["outcome"]) == (126, "cannot_start")
    assert lab.end("job")["reason"].startswith(f"secret TOKEN in {token}: ")
    assert lab.end("job")["reason"].endswith(trouble)
    assert not (lab.home / "ran").exists()
