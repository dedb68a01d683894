#!/usr/bin/env python3
"""Says where it runs. It speaks to the hook tools itself, with nothing that Python does not have
built in: the venv it came with names a Python that need not be the one it finds."""

import os

from charms.packed.v0 import place

try:
    import greeter
except ModuleNotFoundError:  # packed for another version of Python
    greeter = None


def tool(*command):
    """What a hook tool says."""
    said, out = os.pipe()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1)])
    os.close(out)
    with os.fdopen(said) as f:
        text = f.read().strip()
    if os.waitpid(child, 0)[1]:
        raise RuntimeError(f"{command} failed")
    return text


def main():
    """One event."""
    found = place.relative(greeter.__file__) if greeter else "no greeter"
    name = os.path.basename(os.environ["JUJU_DISPATCH_PATH"])
    if os.environ.get("JUJU_ACTION_NAME"):
        tool("action-set", f"greeter={found}", f"prefix={place.prefix()}")
        return
    words = greeter.greet(tool("config-get", "greeting"), name) if greeter else name
    tool("status-set", "active", f"{words} in {place.prefix()}")


if __name__ == "__main__":
    main()
