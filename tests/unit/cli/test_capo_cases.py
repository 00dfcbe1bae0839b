"""Every recorded case of pycapo 0.3.1, played on ``runner capo`` and on `CapoConfig` (CAPO-1)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from capo import Answer, Place

from runner.profiles.capo import CapoConfig
from runner.profiles.properties.java import parse_java

REPOSITORY = Path(__file__).parents[3]
COPY = REPOSITORY / "tests" / "data" / "capo.yaml"
OURS = REPOSITORY / "tests" / "data" / "capo-more.yaml"
RECORDED = REPOSITORY.parent / "shared" / "cases" / "capo.yaml"
FILES = (RECORDED if RECORDED.exists() else COPY, OURS)
CASES = [case for file in FILES for case in yaml.safe_load(file.read_text())["cases"]]
COMMANDS = [case for case in CASES if "argv" in case]
PROGRAMS = [case for case in CASES if "api" in case]
JAVA = [case for case in CASES if "java_properties" in case]

# CAPO-12 to CAPO-15: where ours is to give other answers than pycapo, by their cases. The code, and what stderr says.
INSTEAD = {
    "profile_traversal": (1, '"../other/x" can be no profile\'s name'),
    "profile_absolute": (1, "can be no profile's name"),
    "quiet_two": (2, "-q takes one key"),
    "latin1": (1, "{ROOT}/capo_a/test.properties:1: not UTF-8"),
}
# Results of steps by their place, which CAPO-12 changes.
SEEN = {"reload_older": {4: {"value": "new"}}}


def name(case: dict[str, Any]) -> str:
    return str(case["id"])


def play(place: Place, case: dict[str, Any]) -> Answer:
    place.write(case["files"])
    for variable, value in case.get("env", {}).items():
        place.setenv(variable, place.fill(value))
    return place.capo(*case["argv"])


def is_same(found: str, wanted: str) -> bool:
    return found.startswith("usage:") if wanted == "<usage>" else found == wanted


@pytest.mark.parametrize("case", [case for case in COMMANDS if case["verdict"] == "keep"], ids=name)
def test_what_is_to_be_kept_is_exactly_so(place: Place, case: dict[str, Any]) -> None:
    found, wanted = play(place, case), case["expect"]
    assert found.code == wanted["rc"]
    assert is_same(found.out, place.fill(wanted["stdout"]))
    assert is_same(found.err, place.fill(wanted["stderr"]))


@pytest.mark.parametrize("case", [case for case in COMMANDS if "<traceback" in case["expect"]["stderr"]], ids=name)
def test_what_was_a_traceback_is_one_line_with_its_place(place: Place, case: dict[str, Any]) -> None:
    """CAPO-13."""
    found = play(place, case)
    assert (found.code, found.out) == (1, "")
    (line,) = found.err.splitlines()
    file, number, reason = line.split(":", 2)
    assert (file.endswith("/test.properties"), number.isdecimal(), bool(reason.strip())) == (True, True, True)


@pytest.mark.parametrize("case", [case for case in COMMANDS if case["id"] in INSTEAD], ids=name)
def test_what_must_not_be_done_is_refused(place: Place, case: dict[str, Any]) -> None:
    """CAPO-14, CAPO-15."""
    found = play(place, case)
    code, words = INSTEAD[case["id"]]
    assert (found.code, found.out) == (code, "")
    assert place.fill(words) in found.err


OTHERS = [
    case
    for case in COMMANDS
    if case["verdict"] != "keep" and case["id"] not in INSTEAD and "<traceback" not in case["expect"]["stderr"]
]


@pytest.mark.parametrize("case", OTHERS, ids=name)
def test_what_is_odd_or_dangerous_is_given_all_the_same(place: Place, case: dict[str, Any]) -> None:
    """CAPO-1, CAPO-15: with one warning if it is dangerous."""
    found, wanted = play(place, case), case["expect"]
    assert found.code == wanted["rc"]
    assert is_same(found.out, place.fill(wanted["stdout"]))
    errors = [line for line in found.err.splitlines() if ": warning: " not in line]
    assert is_same("\n".join(errors), place.fill(wanted["stderr"]).strip())
    assert len(found.err.splitlines()) - len(errors) == (case["verdict"] == "danger")


def step(config: CapoConfig, call: str, *words: str) -> object:
    """Do one step of a case and return what it gives."""
    if call == "item":
        return config[words[0]]
    if call == "settings_attr":
        return getattr(config.settings(words[0]), words[1])
    if call == "settings_item":
        return config.settings(words[0])[words[1]]
    if call == "settings_dir":
        return dir(config.settings(words[0]))
    if call == "write":
        return Path(words[0]).write_text(words[1]) and None
    if call == "utime":
        return os.utime(words[0], (float(words[1]), float(words[1])))
    if call == "remove":
        return Path(words[0]).unlink()
    return getattr(config, call)(*words)


def record(done: Any) -> dict[str, object]:
    """Return what a call gave, as the cases write it."""
    try:
        found = done()
    except Exception as error:
        return {"raises": type(error).__name__}
    return {"value": "CapoConfig" if isinstance(found, CapoConfig) else found}


def fill_all(place: Place, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: fill_all(place, one) for key, one in value.items()}
    if isinstance(value, list):
        return [fill_all(place, one) for one in value]
    return place.fill(value) if isinstance(value, str) else value


@pytest.mark.parametrize("case", PROGRAMS, ids=name)
def test_a_program_gets_what_it_got(place: Place, case: dict[str, Any]) -> None:
    """CAPO-10 to CAPO-12."""
    place.write(case["files"])
    for variable, value in case.get("env", {}).items():
        place.setenv(variable, place.fill(value))
    calls, made = fill_all(place, case["api"]), []
    found = [record(lambda: made.append(CapoConfig(**calls["init"])) or made[0])]
    found += [record(lambda words=words: step(made[0], *words)) for words in calls.get("steps", ())]
    wanted = [SEEN.get(case["id"], {}).get(at, one) for at, one in enumerate(case["expect"]["results"])]
    assert found == fill_all(place, wanted)


@pytest.mark.parametrize("case", JAVA, ids=name)
def test_java_reads_a_file_as_it_did(case: dict[str, Any]) -> None:
    """CAPO-33."""
    (text,) = case["files"].values()
    data = text.encode() if isinstance(text, str) else text
    assert {one.key: one.value for one in parse_java(data, "f")} == case["java_properties"]


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded cases are not beside the repository")
def test_our_copy_of_the_cases_is_the_recorded_file() -> None:
    assert COPY.read_bytes() == RECORDED.read_bytes()


# Its value is one that only a shell could take for more than text, and what strict writes is quoted (CAPO-34).
QUOTED = "shell_unsafe"


@pytest.mark.parametrize(
    "case", [case for case in COMMANDS if case["verdict"] == "danger" and case["id"] != QUOTED], ids=name
)
def test_what_is_dangerous_is_an_error_in_the_strict_form(place: Place, case: dict[str, Any]) -> None:
    """CAPO-30, CAPO-31."""
    found = play(place, {**case, "argv": ["--strict", *case["argv"]]})
    assert (found.code > 0, found.out) == (True, "")
    assert found.err
