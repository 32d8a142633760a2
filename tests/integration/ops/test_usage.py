"""What `sbx` says when it is called wrongly, or when there is nothing to work with."""

from pathlib import Path

import pytest

from tests.integration.ops.sbx import Sbx


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command"),
        (["worker", "cook"], "cook"),
        (["wait"], "--idle"),
        (["log", "--state", "done"], "queued, running, completed, failed"),
        (["log", "--reason", "tax_unmapped"], "tax_rate_unmapped"),
        (["log", "--since", "someday"], "2h"),
        (["log", "--account", "Acme_1"], "sub-domain"),
        (["publish", "no-such-file.jsonl"], "no such file"),
        (["connect", "acme"], "--client-id"),
        (["connect", "acme", "--client-id", "x", "--enabled-at", "2026-01-01T00:00:00"], "offset"),
        (["settings", "set", "acme", "due_days"], "KEY=VALUE"),
        (["pause", "Acme_1"], "sub-domain"),
        (["skip", "--number", "1"], "--note"),
        (["retry", "--since", "soon"], "2h"),
        (["drift", "acme", "--resend", "--adopt"], "cannot be combined"),
        (["drift", "acme", "--yes"], "--adopt"),
        (["drift", "acme", "--full", "--since", "2h"], "cannot be combined"),
        (["drift", "acme", "--kind", "order"], "purchase_order"),
    ],
)
def test_bad_usage(alone: Sbx, arguments: list[str], said: str) -> None:
    done = alone(*arguments)
    assert done.code == 2, done.err
    assert said in done.err
    assert not done.out


def test_every_wrong_setting_is_named(alone: Sbx) -> None:
    done = alone("settings", "set", "acme", "due_days=soon", "sales_acount=200")
    assert done.code == 2
    assert "due_days=soon" in done.err
    assert "did you mean 'sales_account'?" in done.err


def test_a_variable_that_cannot_be_is_named(alone: Sbx) -> None:
    done = alone("status", SBX_KAFKA_BOOTSTRAP_SERVERS="kafka")
    assert done.code == 2
    assert "SBX_KAFKA_BOOTSTRAP_SERVERS=kafka" in done.err


@pytest.mark.parametrize(
    "arguments",
    [["log"], ["wait", "--idle"], ["migrate"], ["topics", "create"], ["settings", "show", "acme"]],
)
def test_without_a_stack_the_remedy_is_sbx_up(alone: Sbx, arguments: list[str]) -> None:
    done = alone(*arguments)
    assert done.code == 1
    assert "sbx up" in done.err
    assert alone.environ["SBX_DATA_DIR"] in done.err


def test_status_works_without_a_stack(alone: Sbx) -> None:
    done = alone("status", "--json")
    assert done.code == 1
    assert done.json["ready"] is False
    assert "sbx up" in done.json["problems"][0]


def test_status_tells_what_does_not_answer(alone: Sbx) -> None:
    done = alone(
        "status",
        "--json",
        SBX_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        SBX_DATABASE_URL="postgresql://me:hidden@127.0.0.1:1/x",
    )
    assert done.code == 1
    assert [problem.split()[0] for problem in done.json["problems"]] == ["Kafka", "the"]
    assert done.json["database"]["url"] == "postgresql://me@127.0.0.1:1/x"
    assert "hidden" not in done.out + done.err


def test_up_names_a_service_that_is_away(alone: Sbx) -> None:
    done = alone(
        "up",
        "--wait",
        "0",
        SBX_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
        SBX_DATABASE_URL="postgresql://me:hidden@127.0.0.1:1/x",
    )
    assert done.code == 1
    assert "Kafka at 127.0.0.1:1 cannot be reached" in done.err
    assert "hidden" not in done.err


def test_a_bad_line_keeps_the_whole_file_back(alone: Sbx, shared_dir: Path, tmp_path: Path) -> None:
    good = (shared_dir / "examples" / "events.jsonl").read_text(encoding="utf-8").splitlines()[0]
    file = tmp_path / "events.jsonl"
    file.write_text(f"{good}\n{{}}\n", encoding="utf-8")
    done = alone("publish", str(file))
    assert done.code == 1
    assert f"{file}:2: specversion is absent" in done.err
    assert "nothing was published" in done.err
