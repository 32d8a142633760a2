"""Files of what has left the database: JSON lines, compressed, in a directory per account and month.

``{account}/{month}/000001-3f8a1c20.jsonl.zst`` is a part, ``MANIFEST.json`` beside it lists the parts with
their checksums, and ``ARCHIVE`` at the top says which database's archive it is. A part is written once, is on
the disk before the manifest names it, and is never changed or replaced.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec
import zstandard

_ID = "ARCHIVE"
_LOCK = ".lock"
_MANIFEST = "MANIFEST.json"
_ENDING = ".jsonl.zst"
_OWNER_ONLY = 0o700
_LEVEL = 9
"""Half the size of level 3 for such lines, and still faster than the disk."""


class ArchiveProblem(Exception):
    """The archive cannot be used as it is. ``str()`` says why, ``remedy`` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(problem)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Part:
    """A file of the archive."""

    account: str
    month: str
    """``2025-06``, UTC."""
    name: str
    lines: int
    bytes: int
    """Its size on the disk."""
    sha256: str
    """Of the file as it is on the disk, in hex."""

    @property
    def path(self) -> str:
        """Where it is in the archive's directory."""
        return f"{_quoted(self.account)}/{self.month}/{self.name}"


class _Listed(msgspec.Struct, frozen=True):
    name: str
    lines: int
    bytes: int
    sha256: str


class _Manifest(msgspec.Struct, frozen=True):
    parts: tuple[_Listed, ...] = ()


class Archive:
    """The archive in a directory. One process at a time may add to it; any number may read."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def claim(self, archive_id: str, *, claimed: bool) -> None:
        """Check that the directory is the archive with this id. An empty one becomes it if no directory has
        been before.

        Args:
            claimed: a directory has been given the id before.

        Raises:
            ArchiveProblem: it is not.
            OSError: it cannot be read or written.
        """
        marker = self.directory / _ID
        found = marker.read_text(encoding="ascii").strip() if marker.exists() else None
        if found == archive_id:
            return
        if found is not None:
            raise ArchiveProblem(
                f"{self.directory} is the archive of another database ({found}, not {archive_id})",
                "set SBX_ARCHIVE_DIR to a directory of this database's own",
            )
        if claimed:
            raise ArchiveProblem(
                f"{self.directory} is not the archive of this database: its file {_ID} is not there",
                f"set SBX_ARCHIVE_DIR to the archive, or mount it there; to begin another directory, copy "
                f"the file {_ID} of the old one into it (it holds {archive_id})",
            )
        _make(self.directory)
        _write(marker, f"{archive_id}\n".encode("ascii"))

    def add(self, account: str, month: str, lines: Sequence[bytes]) -> Part:
        """Write a part; when this returns, it is on the disk and in the manifest.

        Raises:
            ArchiveProblem: a process that was given up is still writing to it.
            OSError: the disk is full, or away; nothing was added.
        """
        data = _compressed(lines)
        folder = self.directory / _quoted(account) / month
        _make(folder)
        with self._alone():
            known = _manifest(folder).parts
            sha256 = hashlib.sha256(data).hexdigest()
            listed = _Listed(_next_name(folder, known, sha256), len(lines), len(data), sha256)
            _write(folder / listed.name, data)
            manifest = msgspec.json.encode(_Manifest((*known, listed)))
            _write(folder / _MANIFEST, msgspec.json.format(manifest, indent=1) + b"\n")
        return _part(account, month, listed)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others from adding at the same time: the database ends the session of a worker whose disk
        hangs, and the write goes on when the disk answers again.
        """
        with open(self.directory / _LOCK, "ab", opener=_for_the_owner) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArchiveProblem(
                    f"another process is writing to {self.directory}",
                    "wait; if it lasts, look whether its disk or the network to it hangs",
                ) from None
            yield

    def parts(self, account: str | None = None, month: str | None = None) -> list[Part]:
        """Return the parts in the manifests, by account, month and name.

        Raises:
            ArchiveProblem: a manifest cannot be read.
        """
        accounts = [_quoted(account)] if account is not None else _folders(self.directory)
        found = []
        for name in accounts:
            of_account = self.directory / name
            for of_month in [month] if month is not None else _folders(of_account):
                listed = _manifest(of_account / of_month).parts
                found += [_part(unquote(name), of_month, one) for one in listed]
        return sorted(found)

    def lines(self, part: Part) -> Iterator[bytes]:
        """Yield the lines of a part, after its checksum was compared.

        Raises:
            ArchiveProblem: the file is gone, or damaged.
        """
        path = self.directory / part.path
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ArchiveProblem(f"{path} is gone", _FROM_A_COPY) from None
        if hashlib.sha256(data).hexdigest() != part.sha256:
            raise ArchiveProblem(
                f"{path} is damaged: its checksum is not the one in its manifest", _FROM_A_COPY
            )
        yield from zstandard.ZstdDecompressor().decompress(data).splitlines()


_FROM_A_COPY = "put it back from a copy of the archive"


def _quoted(account: str) -> str:
    return quote(account, safe="").replace(".", "%2E")


def _part(account: str, month: str, listed: _Listed) -> Part:
    return Part(
        account=account,
        month=month,
        name=listed.name,
        lines=listed.lines,
        bytes=listed.bytes,
        sha256=listed.sha256,
    )


def _compressed(lines: Iterable[bytes]) -> bytes:
    whole = b"".join(line + b"\n" for line in lines)
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(whole)


def _next_name(folder: Path, known: Iterable[_Listed], sha256: str) -> str:
    """Return a name that no part has or had, neither here nor, thanks to the checksum, in another copy of
    the archive: one that a crash left behind stays as it is.
    """
    names = [path.name for path in folder.glob(f"*{_ENDING}")] + [one.name for one in known]
    numbers = [name.partition("-")[0] for name in names]
    return f"{max((int(n) for n in numbers if n.isdecimal()), default=0) + 1:06}-{sha256[:8]}{_ENDING}"


def _manifest(folder: Path) -> _Manifest:
    path = folder / _MANIFEST
    if not path.exists():
        return _Manifest()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Manifest)
    except msgspec.DecodeError as error:
        raise ArchiveProblem(f"{path} cannot be read: {error}", _FROM_A_COPY) from error


def _folders(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []


def _make(directory: Path) -> None:
    """Make the directory and those above it, on the disk."""
    if directory.is_dir():
        return
    _make(directory.parent)
    directory.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    _sync(directory.parent)


def _write(path: Path, data: bytes) -> None:
    """Write the file whole or not at all, and wait until it is on the disk."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with open(new, "wb", opener=_for_the_owner) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    _sync(path.parent)


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(directory: Path) -> None:
    """Wait until the names in the directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
