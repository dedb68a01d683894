#!/usr/bin/env python3
"""Hands out the certificates it is configured with."""

import ops
from charmlibs.interfaces.certificate_transfer import CertificateTransferProvides
from recorder import Recorder


class ProviderCharm(ops.CharmBase):
    """The provider of certificate_transfer."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        self.transfer = CertificateTransferProvides(self, "ca")
        for event in (self.on.config_changed, self.on.ca_relation_changed):
            framework.observe(event, self._hand_out)

    def _hand_out(self, event):
        wanted = set(self.config["certificates"].split())
        if self.unit.is_leader():
            self.transfer.remove_all_certificates()
            self.transfer.add_certificates(wanted)


if __name__ == "__main__":
    ops.main(ProviderCharm)
