#!/usr/bin/env python3
"""Asks for a certificate of its own."""

import ops
from charmlibs.interfaces.tls_certificates import CertificateRequestAttributes, Mode, TLSCertificatesRequiresV4
from recorder import Recorder


class RequirerCharm(ops.CharmBase):
    """The requirer of tls-certificates; its private key is a secret of the unit."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        self.request = CertificateRequestAttributes(
            common_name=self.unit.name.replace("/", "-") + ".example.com", sans_dns=frozenset({"example.com"})
        )
        self.certificates = TLSCertificatesRequiresV4(
            self, "certificates", certificate_requests=[self.request], mode=Mode.UNIT
        )
        framework.observe(self.certificates.on.certificate_available, self._on_available)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)

    def _on_available(self, event):
        self.recorder.note(
            "available",
            common_name=event.certificate.common_name,
            ca=event.ca.common_name,
            matches=event.certificate.matches_private_key(self.certificates.private_key),
        )

    def _on_collect_unit_status(self, event):
        certificate, key = self.certificates.get_assigned_certificate(self.request)
        if certificate and key:
            event.add_status(ops.ActiveStatus("certified as " + certificate.certificate.common_name))
        else:
            event.add_status(ops.WaitingStatus("for a certificate"))


if __name__ == "__main__":
    ops.main(RequirerCharm)
