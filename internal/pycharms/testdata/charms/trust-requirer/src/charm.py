#!/usr/bin/env python3
"""Keeps a bundle of the certificates it is given."""

import ops
from charmlibs import pathops
from charmlibs.interfaces.certificate_transfer import CertificateTransferRequires
from recorder import Recorder


class RequirerCharm(ops.CharmBase):
    """The requirer of certificate_transfer."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        self.bundle = pathops.LocalPath(self.charm_dir, "trusted", "bundle.pem")
        self.transfer = CertificateTransferRequires(self, "ca")
        framework.observe(self.transfer.on.certificate_set_updated, self._on_updated)
        framework.observe(self.transfer.on.certificates_removed, self._on_removed)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)

    def _on_updated(self, event):
        text = "".join(c + "\n" for c in sorted(event.certificates))
        changed = pathops.ensure_contents(self.bundle, text, mode=0o640)
        self.recorder.note("updated", id=event.relation_id, certificates=sorted(event.certificates), changed=changed)

    def _on_removed(self, event):
        self.bundle.unlink(missing_ok=True)
        self.recorder.note("removed", id=event.relation_id)

    def _on_collect_unit_status(self, event):
        if self.bundle.exists():
            event.add_status(ops.ActiveStatus("trusts " + " ".join(self.bundle.read_text().split())))
        else:
            event.add_status(ops.WaitingStatus("for certificates"))


if __name__ == "__main__":
    ops.main(RequirerCharm)
