#!/usr/bin/env python3
"""Reads secrets of others."""

import ops
from recorder import Recorder, attempt

LABEL = "theirs"


class GuestCharm(ops.CharmBase):
    """Says of what it reads how it looks, so that tests can compare it."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        framework.observe(self.on.vault_relation_changed, self._on_relation_changed)
        framework.observe(self.on.vault_relation_broken, self._on_relation_broken)
        framework.observe(self.on.secret_changed, self._on_secret_changed)
        framework.observe(self.on.config_changed, self._on_config_changed)

    def _on_relation_changed(self, event):
        id = event.relation.data[event.app].get("secret")
        if id:
            secret = self.model.get_secret(id=id, label=LABEL)
            self.recorder.note("read", result={"keys": sorted(secret.get_content()), "word": self._word(secret.get_content())})

    def _word(self, content):
        return content["password"].rpartition("-")[2]

    def _on_secret_changed(self, event):
        secret = event.secret
        self.recorder.note(
            "changed",
            result={
                "id": secret.unique_identifier,
                "label": secret.label,
                "tracked": self._word(secret.get_content()),
                "newest": self._word(secret.peek_content()),
                "refreshed": self._word(secret.get_content(refresh=True)),
                "again": self._word(self.model.get_secret(label=secret.label or LABEL).get_content()),
            },
        )

    def _on_config_changed(self, event):
        result = {"theirs": attempt(lambda: self._word(self.model.get_secret(label=LABEL).get_content()))}
        login = self.config.get("login")
        if login:
            result["login"] = attempt(lambda: self._word(self.model.get_secret(id=login, label="login").get_content()))
        relation = self.model.get_relation("vault")
        if relation:
            id = relation.data[relation.app].get("secret")
            result["by id"] = attempt(lambda: self._word(self.model.get_secret(id=id).get_content()))
        self.recorder.note("tried", result=result)

    def _on_relation_broken(self, event):
        id = event.relation.data[event.app].get("secret")
        self.recorder.note("last", result={"word": attempt(lambda: self._word(self.model.get_secret(id=id).get_content()))})


if __name__ == "__main__":
    ops.main(GuestCharm)
