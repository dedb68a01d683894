#!/usr/bin/env python3
"""Says and asks everything about itself that a machine charm can without relations."""

import dataclasses
import os
from typing import Optional

import ops
from recorder import Recorder, attempt


@dataclasses.dataclass(frozen=True)
class Config:
    """The configuration, checked."""

    title: str
    port: int
    ratio: float
    debug: bool
    absent: Optional[str] = None

    def __post_init__(self):
        if not 0 < self.port < 65536:
            raise ValueError(f"port {self.port} is not one")


class SettingsCharm(ops.CharmBase):
    """Reports on every config-changed."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        framework.observe(self.on.config_changed, self._on_config_changed)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)
        framework.observe(self.on.collect_app_status, self._on_collect_app_status)

    def _on_config_changed(self, event):
        config = self.load_config(Config, errors="blocked")
        self.unit.set_ports(config.port, ops.Port("udp", 53), ops.Port("icmp", None))
        self.unit.set_workload_version(f"1.{config.port}")
        network = self.model.get_binding("admin").network
        ring = self.model.get_binding(self.model.get_relation("ring")).network
        self.recorder.note("settings", result={
            "config": dict(self.config),
            "types": {key: type(value).__name__ for key, value in self.config.items()},
            "typed": [config.title, config.port, config.ratio, config.debug, config.absent],
            "ports": sorted([p.protocol, p.port] for p in self.unit.opened_ports()),
            "version": [str(self.model.juju_version), os.environ["JUJU_VERSION"], self.model.juju_version.has_secrets],
            "model": [self.model.name, self.model.uuid],
            "planned": self.app.planned_units(),
            "addresses": [str(a) for a in [network.bind_address, network.ingress_address, ring.ingress_address]],
            "subnets": [str(n) for n in network.egress_subnets],
            "interfaces": [[i.name, str(i.address)] for i in network.interfaces],
            "no binding": attempt(lambda: self.model.get_binding("nothing").network),
            "charm dir": str(self.charm_dir) == os.getcwd(),
            "status": [self.unit.status.name, self.unit.status.message],
            "error status": attempt(lambda: setattr(self.unit, "status", ops.ErrorStatus("no"))),
            "app status": attempt(lambda: [self.app.status.name, self.app.status.message]),
        })

    def _on_collect_unit_status(self, event):
        event.add_status(ops.ActiveStatus("all is well"))
        if self.config["debug"]:
            event.add_status(ops.WaitingStatus("for the end of debugging"))
            event.add_status(ops.BlockedStatus("debugging -- really"))

    def _on_collect_app_status(self, event):
        event.add_status(ops.ActiveStatus(f"led by {self.unit.name}"))


if __name__ == "__main__":
    ops.main(SettingsCharm)
