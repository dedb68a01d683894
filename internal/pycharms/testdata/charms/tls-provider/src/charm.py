#!/usr/bin/env python3
"""A certificate authority that signs whatever it is asked to."""

from datetime import timedelta

import ops
from charmlibs.interfaces.tls_certificates import (
    Certificate,
    PrivateKey,
    ProviderCertificate,
    TLSCertificatesProvidesV4,
    generate_ca,
    generate_certificate,
    generate_private_key,
)
from recorder import Recorder

LABEL = "authority"


class ProviderCharm(ops.CharmBase):
    """The provider of tls-certificates. Its own key is a secret of the application."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        self.certificates = TLSCertificatesProvidesV4(self, "certificates")
        for event in (self.on.config_changed, self.on.certificates_relation_changed):
            framework.observe(event, self._sign)

    def _authority(self):
        try:
            content = self.model.get_secret(label=LABEL).get_content(refresh=True)
        except ops.SecretNotFoundError:
            key = generate_private_key()
            ca = generate_ca(key, validity=timedelta(days=365), common_name="kith test authority")
            self.app.add_secret({"private-key": str(key), "certificate": str(ca)}, label=LABEL)
            return key, ca
        return PrivateKey.from_string(content["private-key"]), Certificate.from_string(content["certificate"])

    def _sign(self, event):
        if not self.unit.is_leader():
            return
        key, ca = self._authority()
        for request in self.certificates.get_outstanding_certificate_requests():
            csr = request.certificate_signing_request
            certificate = generate_certificate(csr, ca, key, validity=timedelta(days=30))
            self.certificates.set_relation_certificate(
                ProviderCertificate(
                    relation_id=request.relation_id,
                    certificate=certificate,
                    certificate_signing_request=csr,
                    ca=ca,
                    chain=[certificate, ca],
                )
            )
            self.recorder.note("signed", common_name=csr.common_name)


if __name__ == "__main__":
    ops.main(ProviderCharm)
