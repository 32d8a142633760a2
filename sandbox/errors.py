"""What can go wrong when Kafka or PostgreSQL is started on this machine. Every text ends with what to do.

SandboxError
├── DataDirInUse        another process holds the data directory
├── DataDirUnusable     it cannot be written, or its disk is full
├── DownloadFailed      Kafka's jars could not be fetched, or are not the ones that were tested
└── ServiceFailed       Kafka or PostgreSQL did not start, or did not answer in time
    └── PortTaken       another program took its port before it did
"""


class SandboxError(Exception):
    """Base of all errors of the sandbox; ``str()`` names what failed and the remedy."""


class DataDirInUse(SandboxError):
    """Another live process has started a stack in the same data directory."""


class DataDirUnusable(SandboxError):
    """The data directory cannot be created or written, or has too little space."""


class DownloadFailed(SandboxError):
    """Kafka's jars could not be fetched, or are not the ones that were tested."""


class ServiceFailed(SandboxError):
    """A service ended while it started, or did not answer in time."""


class PortTaken(ServiceFailed):
    """Another program took the service's port between our choice of it and the service's start."""
