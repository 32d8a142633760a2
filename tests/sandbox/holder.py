"""Run as a process of its own by the tests: holds a stack until it is told, or made, to end."""

import json
import sys

from sandbox import EmbeddedStack

if __name__ == "__main__":
    with EmbeddedStack(sys.argv[1], kafka="kafka" in sys.argv[2:]) as stack:
        print(json.dumps({"kafka": stack.bootstrap_servers, "database": stack.database_url}), flush=True)
        sys.stdin.read()
