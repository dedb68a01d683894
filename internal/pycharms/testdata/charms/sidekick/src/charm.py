#!/usr/bin/env python3
"""A subordinate that tells its principal who it is."""

import os

import ops
from recorder import Recorder


class SidekickCharm(ops.CharmBase):
    """Announces itself to the unit it runs beside."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        framework.observe(self.on.beside_relation_joined, self._on_joined)

    def _on_joined(self, event):
        event.relation.data[self.unit]["beside"] = os.environ["JUJU_PRINCIPAL_UNIT"]


if __name__ == "__main__":
    ops.main(SidekickCharm)
