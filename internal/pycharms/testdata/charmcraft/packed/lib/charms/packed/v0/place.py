"""A charm library, as charmcraft fetches them into lib/."""

import os
import sys

LIBID = "0123456789abcdef0123456789abcdef"
LIBAPI = 0
LIBPATCH = 1


def relative(path):
    """A path below the charm's folder."""
    return os.path.relpath(path, os.environ["JUJU_CHARM_DIR"])


def prefix():
    """Where Python's environment is: below the charm's folder, or "outside"."""
    place = relative(sys.prefix)
    return "outside" if place.startswith("..") else place
