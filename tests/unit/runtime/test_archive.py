"""Files of the archive: whole, on the disk before they are named, never replaced."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime.archive import Archive, ArchiveProblem

ID = "0d3a2f5e-7a55-4ab2-9c4e-4f3b7f6f1f10"
OTHER = "11111111-2222-4333-8444-555555555555"
LINES = [b'{"row":"command","seq":1}', '{"row":"entry","party_name":"Zoë\\nLtd"}'.encode()]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    kept = Archive(tmp_path / "archive")
    kept.claim(ID, claimed=False)
    return kept


def test_what_was_added_is_read_back(archive: Archive) -> None:
    part = archive.add("acme", "2025-06", LINES)
    assert (part.account, part.month, part.lines) == ("acme", "2025-06", 2)
    assert part.name == f"000001-{part.sha256[:8]}.jsonl.zst"
    assert archive.parts() == [part]
    assert list(Archive(archive.directory).lines(part)) == LINES


def test_parts_are_listed_by_account_and_month(archive: Archive) -> None:
    first = archive.add("acme", "2025-06", LINES)
    second = archive.add("acme", "2025-06", LINES[:1])
    july = archive.add("acme", "2025-07", LINES)
    other = archive.add("bolt", "2025-06", LINES)
    assert second.name.startswith("000002-")
    assert archive.parts() == [first, second, july, other]
    assert archive.parts("acme") == [first, second, july]
    assert archive.parts(month="2025-06") == [first, second, other]
    assert archive.parts("nobody") == []


@pytest.mark.parametrize("account", ["..", "../up", "a/b", ".", "%2E", "ünï"])
def test_an_account_stays_in_its_own_directory(archive: Archive, account: str) -> None:
    part = archive.add(account, "2025-06", LINES)
    files = list(archive.directory.parent.rglob("*.zst"))
    assert [path.relative_to(archive.directory).parts[1:] for path in files] == [("2025-06", part.name)]
    assert archive.parts() == [part]
    assert list(archive.lines(part)) == LINES


def test_only_its_owner_reads_it(archive: Archive) -> None:
    part = archive.add("acme", "2025-06", LINES)
    path = archive.directory / part.path
    assert [one.stat().st_mode & 0o077 for one in (archive.directory, path.parent, path)] == [0, 0, 0]


def test_a_file_that_a_crash_left_behind_is_neither_replaced_nor_listed(archive: Archive) -> None:
    folder = archive.directory / "acme" / "2025-06"
    folder.mkdir(parents=True)
    (folder / "000007-01234567.jsonl.zst").write_bytes(b"left")
    part = archive.add("acme", "2025-06", LINES)
    assert part.name.startswith("000008-")
    assert archive.parts() == [part]
    assert (folder / "000007-01234567.jsonl.zst").read_bytes() == b"left"


def test_the_number_of_a_file_that_is_gone_is_not_given_again(archive: Archive) -> None:
    gone = archive.add("acme", "2025-06", LINES)
    (archive.directory / gone.path).unlink()
    part = archive.add("acme", "2025-06", LINES)
    assert part.name.startswith("000002-")
    assert archive.parts() == [gone, part]


def test_two_copies_of_an_archive_give_different_names(archive: Archive, tmp_path: Path) -> None:
    """A file that is put back from the other copy replaces none."""
    other = Archive(tmp_path / "other")
    other.claim(ID, claimed=False)
    assert archive.add("acme", "2025-06", LINES).name != other.add("acme", "2025-06", LINES[:1]).name


def test_two_processes_do_not_add_at_the_same_time(archive: Archive) -> None:
    with (archive.directory / ".lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ArchiveProblem, match="another process is writing"):
            archive.add("acme", "2025-06", LINES)
        assert archive.parts() == []
    assert archive.parts("acme") == [] and archive.add("acme", "2025-06", LINES).lines == 2


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "says"),
    [(damage, "is damaged"), (Path.unlink, "is gone"), (lambda p: p.write_bytes(b""), "is damaged")],
)
def test_a_file_that_is_not_what_it_was_is_refused(
    archive: Archive, harm: Callable[[Path], Any], says: str
) -> None:
    part = archive.add("acme", "2025-06", LINES)
    harm(archive.directory / part.path)
    with pytest.raises(ArchiveProblem, match=says):
        list(archive.lines(part))


def test_a_manifest_that_cannot_be_read_is_refused(archive: Archive) -> None:
    part = archive.add("acme", "2025-06", LINES)
    manifest = (archive.directory / part.path).parent / "MANIFEST.json"
    assert json.loads(manifest.read_bytes())["parts"][0]["sha256"] == part.sha256
    manifest.write_bytes(b'{"parts": [')
    with pytest.raises(ArchiveProblem, match="cannot be read"):
        archive.parts()
    with pytest.raises(ArchiveProblem, match="cannot be read"):
        archive.add("acme", "2025-06", LINES)


# Whose archive it is


def test_an_empty_directory_becomes_the_archive_once(tmp_path: Path) -> None:
    Archive(tmp_path / "new" / "archive").claim(ID, claimed=False)
    Archive(tmp_path / "new" / "archive").claim(ID, claimed=True)
    with pytest.raises(ArchiveProblem, match="is not the archive of this database"):
        Archive(tmp_path / "elsewhere").claim(ID, claimed=True)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("claimed", [False, True])
def test_the_archive_of_another_database_is_refused(archive: Archive, claimed: bool) -> None:
    with pytest.raises(ArchiveProblem, match="another database"):
        archive.claim(OTHER, claimed=claimed)


def test_another_directory_goes_on_with_the_old_ones_file(archive: Archive, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    (second / "ARCHIVE").write_bytes((archive.directory / "ARCHIVE").read_bytes())
    Archive(second).claim(ID, claimed=True)


# In which order


def test_a_part_is_on_the_disk_before_the_manifest_names_it(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.add("acme", "2025-06", LINES)
    done: list[str] = []
    replace, sync = Path.replace, os.fsync

    def replaced(self: Path, target: Path) -> Path:
        done.append(f"named {target.name}")
        return replace(self, target)

    def synced(descriptor: int) -> None:
        done.append(
            f"synced {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}".replace(f".{os.getpid()}", "")
        )
        sync(descriptor)

    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(os, "fsync", synced)
    name = archive.add("acme", "2025-06", LINES).name
    assert done == [
        f"synced .{name}.new",
        f"named {name}",
        "synced 2025-06",
        "synced .MANIFEST.json.new",
        "named MANIFEST.json",
        "synced 2025-06",
    ]


def test_a_full_disk_leaves_the_manifest_as_it_was(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    part = archive.add("acme", "2025-06", LINES)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        archive.add("acme", "2025-06", LINES)
    monkeypatch.undo()
    assert archive.parts() == [part]
    assert [
        p.name for p in (archive.directory / "acme" / "2025-06").iterdir() if p.name.startswith(".")
    ] == []
