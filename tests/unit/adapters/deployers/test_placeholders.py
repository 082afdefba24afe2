from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.adapters.deployers.placeholders import fill_arguments, fill_shell
from amends.errors import ActuationFailedError, PolicyError

values = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)


def sh(command: str) -> str:
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "value", ["1.2", "a b", "$(echo x)", "`id`", "'; echo x #", "*", "~", '"$HOME"', "a\nb", ""]
)
def test_a_value_reaches_an_unquoted_command_as_it_is(value: str) -> None:
    assert sh(fill_shell("printf %s {version}", {"version": value}, "x")) == value


@given(values)
def test_a_value_is_always_one_argument(value: str) -> None:
    assert fill_arguments("run --v={version} end", {"version": value}, "x") == ["run", f"--v={value}", "end"]


@pytest.mark.parametrize("value", ["$(echo x)", "a b", "'; echo x #", "`id`", "a'b"])
@pytest.mark.parametrize(
    "command", ['echo "{version}"', "echo '{version}'", "cat <<E\n{version}\nE", "# '\necho {version}"]
)
def test_a_value_with_meaning_to_the_shell_is_refused_by_a_command_that_quotes(
    command: str, value: str
) -> None:
    with pytest.raises(ActuationFailedError, match="AMENDS_VERSION"):
        fill_shell(command, {"version": value}, "x")


def test_a_plain_value_goes_into_quotes() -> None:
    assert sh(fill_shell('printf %s "v={version}"', {"version": "1.2.0-rc.1"}, "x")) == "v=1.2.0-rc.1"


def test_what_is_the_shells_own_or_a_templates_is_left_alone() -> None:
    command = "echo ${version} {{version}} {a,b} {}"
    assert fill_shell(command, {"version": "1"}, "x") == command


def test_a_misspelt_placeholder_is_refused_with_the_nearest() -> None:
    with pytest.raises(PolicyError, match=r"\{verison\}; did you mean \{version\}"):
        fill_shell("echo {verison}", {"version": "1", "weight": "2"}, "x")


def test_an_open_quote_is_refused() -> None:
    with pytest.raises(PolicyError, match="quot"):
        fill_arguments("echo 'a", {}, "x")
