#!/usr/bin/env python3
"""Says where it runs and where it found ops."""

import os
import pathlib

import ops


class PlainCharm(ops.CharmBase):
    """Shows its surroundings in its status."""

    def __init__(self, framework):
        super().__init__(framework)
        framework.observe(self.on.install, self._on_install)
        framework.observe(self.on.start, self._on_start)
        framework.observe(self.on.upgrade_charm, self._on_start)
        framework.observe(self.on.config_changed, self._on_start)

    def _on_install(self, event):
        self.unit.status = ops.MaintenanceStatus("installing")

    def _on_start(self, event):
        where = pathlib.Path(ops.__file__).parent
        if where.is_relative_to(self.charm_dir):
            where = where.relative_to(self.charm_dir)
        hook = os.path.basename(os.environ["JUJU_DISPATCH_PATH"])
        self.unit.status = ops.ActiveStatus(f"{self.config['greeting']} from {hook} with {where}")


if __name__ == "__main__":
    ops.main(PlainCharm)
