#!/usr/bin/env python3
"""Keeps words in storage, and reads a resource."""

import ops
from recorder import Recorder, attempt


class KeeperCharm(ops.CharmBase):
    """Notes what it finds in each storage."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        for event in (self.on.data_storage_attached, self.on.data_storage_detaching):
            framework.observe(event, self._on_storage)
        framework.observe(self.on.install, self._on_resources)
        framework.observe(self.on.upgrade_charm, self._on_resources)
        framework.observe(self.on.config_changed, self._on_config_changed)

    def _on_storage(self, event):
        storage = event.storage
        place = storage.location
        found = sorted(path.name for path in place.iterdir())
        (place / f"word-{len(found)}").write_text("kept")
        self.recorder.note("storage", result={
            "id": storage.full_id,
            "name": [storage.name, storage.index],
            "found": found,
            "absolute": place.is_absolute(),
            "listed": self._listed(),
        })

    def _listed(self):
        return sorted(s.full_id for s in self.model.storages["data"])

    def _on_resources(self, event):
        path = self.model.resources.fetch("seed")
        self.recorder.note("resource", result={
            "text": path.read_text(),
            "path": [path.parent.parent.name, path.parent.name, path.name],
            "again": self.model.resources.fetch("seed") == path,
            "not given": attempt(lambda: str(self.model.resources.fetch("other"))),
            "not declared": attempt(lambda: str(self.model.resources.fetch("nothing"))),
            "storage": self._listed(),
        })

    def _on_config_changed(self, event):
        more = self.config["more"]
        self.recorder.note("asked", result={
            "not declared": attempt(lambda: self.model.storages.request("nothing")),
            "not a count": attempt(lambda: self.model.storages.request("data", 0)),
            "more": attempt(lambda: self.model.storages.request("data", more)) if more else None,
            "listed": self._listed(),
        })


if __name__ == "__main__":
    ops.main(KeeperCharm)
