#!/usr/bin/env python3
"""Owns secrets: the leader shares one over its relations."""

import datetime

import ops
from recorder import Recorder, attempt

LABEL = "conn"


def planted(word):
    """A value that stands nowhere in the charm's files: tests look for it where it must not be."""
    return "".join(reversed(word)) + "-" + word


class VaultCharm(ops.CharmBase):
    """Does with its secrets what its configuration says, one thing for each change of it."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        framework.observe(self.on.guests_relation_created, self._on_created)
        framework.observe(self.on.config_changed, self._on_config_changed)
        framework.observe(self.on.secret_changed, self._on_secret_changed)
        framework.observe(self.on.secret_remove, self._on_secret_remove)
        framework.observe(self.on.secret_expired, self._on_secret_expired)
        framework.observe(self.on.secret_rotate, self._on_secret_rotate)

    def _on_created(self, event):
        if not self.unit.is_leader():
            return
        secret = self.app.add_secret(
            {"password": planted("first"), "user-name": "admin"},
            label=LABEL,
            description="how to connect",
            rotate=ops.SecretRotate.DAILY,
        )
        secret.grant(event.relation)
        event.relation.data[self.app]["secret"] = secret.id
        self.recorder.note("added", result={"id": secret.id, "own": attempt(lambda: sorted(secret.get_content()))})

    def _on_config_changed(self, event):
        what = self.config["do"].rpartition(".")[2]
        if what:
            result = getattr(self, "_" + what)()
            self.recorder.note(what, result=result if isinstance(result, dict) else {"value": result})

    def _shared(self):
        return self.model.get_secret(label=LABEL)

    def _info(self):
        info = self._shared().get_info()
        return {
            "id": info.id,
            "label": info.label,
            "revision": info.revision,
            "description": info.description,
            "rotation": info.rotation.value,
            "expires": str(info.expires),
            "rotates in": (info.rotates - datetime.datetime.now(datetime.timezone.utc)).total_seconds(),
        }

    def _know(self):
        return self._shared().get_content()["password"] == planted("first")

    def _set(self):
        """New content; who does not lead may read it and nothing else."""
        secret = self._shared()
        result = {
            "info": attempt(lambda: self._info()["revision"]),
            "set": attempt(lambda: secret.set_content({"password": planted("second")})),
            "peek": attempt(lambda: secret.peek_content()["password"] == planted("second")),
        }
        if not self.unit.is_leader():
            result["info of the secret"] = attempt(lambda: secret.get_info())
        return result

    def _describe(self):
        if self.unit.is_leader():
            self._shared().set_info(description="other words", rotate=ops.SecretRotate.MONTHLY)
        return attempt(self._info)

    def _expire(self):
        secret = self.unit.add_secret(
            {"token": planted("third")}, label="short-lived", expire=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
        )
        return str(secret.get_info().expires)

    def _gone(self):
        return attempt(lambda: self.model.get_secret(label="short-lived").get_content())

    def _revoke(self):
        if self.unit.is_leader():
            self._shared().revoke(self.model.get_relation("guests"))

    def _grant(self):
        if self.unit.is_leader():
            unit = min(self.model.get_relation("guests").units, key=lambda u: u.name)
            self._shared().grant(self.model.get_relation("guests"), unit=unit)

    def _mistakes(self):
        return {
            "label": attempt(lambda: self.unit.add_secret({"key": "x" * 3}, label="twice") and self.unit.add_secret({"key": "x"}, label="twice")),
            "key": attempt(lambda: self.unit.add_secret({"NO": "x"})),
            "unknown": attempt(lambda: self.model.get_secret(id="secret:d5k0example0000000ab").get_content()),
            "nonsense": attempt(lambda: self.model.get_secret(id="nonsense").get_content()),
        }

    def _remove(self):
        if self.unit.is_leader():
            self._shared().remove_all_revisions()
        return attempt(lambda: self._shared().get_content())

    def _on_secret_changed(self, event):
        event.secret.get_content(refresh=True)

    def _on_secret_remove(self, event):
        self.recorder.note("obsolete", result={"id": event.secret.id, "label": event.secret.label, "revision": event.revision})
        event.remove_revision()

    def _on_secret_expired(self, event):
        self.recorder.note("expired", result={"label": event.secret.label, "revision": event.revision})
        event.remove_revision()

    def _on_secret_rotate(self, event):
        self.recorder.note("rotate", result={"label": event.secret.label})
        event.secret.set_content({"password": planted("fourth")})


if __name__ == "__main__":
    ops.main(VaultCharm)
