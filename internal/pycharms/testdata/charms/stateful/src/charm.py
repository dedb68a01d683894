#!/usr/bin/env python3
"""Keeps state, defers and fails; the file "juju-storage" moves its state to the controller."""

import pathlib

import ops
from recorder import Recorder, attempt, name


class StatefulCharm(ops.CharmBase):
    """Counts every event in its StoredState, in each kind of value it can hold."""

    _stored = ops.StoredState()

    def __init__(self, framework):
        super().__init__(framework)
        self._stored.set_default(count=0, names=[], kinds=set(), each={}, blob=b"\x00\xff", text='a: "b"\n- ü\n', none=None)
        self.recorder = Recorder(self)
        for event in self.on.events().values():
            if issubclass(event.event_type, ops.HookEvent):
                framework.observe(event, self._count)
        for endpoint in ("give", "take"):
            framework.observe(self.on[endpoint].relation_changed, self._on_relation_changed)
        framework.observe(self.on.config_changed, self._on_config_changed)

    def _count(self, event):
        kind = event.handle.kind
        self._stored.count += 1
        self._stored.names.append(kind)
        self._stored.kinds.add(kind)
        self._stored.each[kind] = self._stored.each.get(kind, 0) + 1

    def _on_relation_changed(self, event):
        ready = self.config["ready"]
        self.recorder.note(
            "deferred" if not ready else "handled",
            id=event.relation.id,
            app=name(event.app),
            remote=name(event.unit),
            active=event.relation.active,
            value=attempt(lambda: event.relation.data[event.unit].get("value", "")),
            **{"relation-app": name(event.relation.app)},
        )
        if not ready:
            event.defer()

    def _on_config_changed(self, event):
        for endpoint in ("give", "take"):
            for relation in self.model.relations[endpoint]:
                relation.data[self.unit]["value"] = self.config["value"]
        self.recorder.note("stored", result={
            "count": self._stored.count,
            "names": list(self._stored.names),
            "kinds": sorted(self._stored.kinds),
            "each": dict(self._stored.each),
            "others": [self._stored.blob.hex(), self._stored.text, self._stored.none],
            "unset": attempt(lambda: self._stored.never),
            "wrong": attempt(lambda: setattr(self._stored, "wrong", object())),
        })
        if self.config["crash"]:
            raise RuntimeError("told to crash")


if __name__ == "__main__":
    in_controller = pathlib.Path("juju-storage").exists()
    ops.main(StatefulCharm, use_juju_for_storage=in_controller)
