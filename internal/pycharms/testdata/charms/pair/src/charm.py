#!/usr/bin/env python3
"""Either end of a relation: publishes its configuration, and probes what it may do."""

import json
import subprocess

import ops
from recorder import Recorder, attempt


def tool(*command):
    """What a hook tool says, without ops between."""
    done = subprocess.run(command, capture_output=True, text=True)
    return f"Error: {done.stderr}" if done.returncode else json.loads(done.stdout or "null")


class PairCharm(ops.CharmBase):
    """Writes nothing but what its configuration says, so that tests know every event."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        framework.observe(self.on.config_changed, self._on_config_changed)
        framework.observe(self.on.leader_elected, self._on_leader_elected)
        for endpoint in self.meta.relations:
            framework.observe(self.on[endpoint].relation_created, self._on_created)

    def _every_relation(self):
        for relations in self.model.relations.values():
            yield from relations

    def _on_config_changed(self, event):
        for relation in self._every_relation():
            self._publish(relation)
        probe = self.config["probe"].partition(":")[0]
        if probe:
            self.recorder.note("probe", result=getattr(self, "probe_" + probe)())

    def _on_created(self, event):
        if self.config["eager"]:
            self._publish(event.relation)

    def _publish(self, relation):
        value = self.config["value"]
        if value:
            relation.data[self.unit]["value"] = value
            if self.unit.is_leader():
                relation.data[self.app]["value"] = value

    def _on_leader_elected(self, event):
        ring = self.model.get_relation("ring")
        ring.data[self.app]["leader"] = self.unit.name

    def probe_access(self):
        """Everything the access rules of databags speak of."""
        relation = self.model.get_relation("db")
        ring = self.model.get_relation("ring")
        data = relation.data
        remote = min(relation.units, key=lambda unit: unit.name)
        sibling = min(ring.units, key=lambda unit: unit.name)

        def write(bag, entity):
            return attempt(lambda: bag[entity].update({"written": self.unit.name}))

        return {
            "leader": self.unit.is_leader(),
            "planned units": self.app.planned_units(),
            "own unit": write(data, self.unit),
            "own unit read back": attempt(lambda: data[self.unit]["written"]),
            "own app read": attempt(lambda: data[self.app].get("value")),
            "own app in": attempt(lambda: "value" in data[self.app]),
            "own app write": write(data, self.app),
            "own app shown": attempt(lambda: "value" in repr(data[self.app])),
            "tool app read": tool("relation-get", "--app", "--format=json", "-r", str(relation.id), "-", self.app.name),
            "tool app write": tool("relation-set", "--app", "-r", str(relation.id), "tool="),
            "remote unit read": attempt(lambda: bool(data[remote]["ingress-address"])),
            "remote unit write": write(data, remote),
            "remote app read": attempt(lambda: data[relation.app].get("value")),
            "remote app write": write(data, relation.app),
            "stranger read": attempt(lambda: data[self.model.get_unit("stranger/0")]),
            "peer app read": attempt(lambda: ring.data[self.app].get("value")),
            "peer app write": write(ring.data, self.app),
            "peer unit read": attempt(lambda: ring.data[sibling].get("value")),
            "peer unit write": write(ring.data, sibling),
            "number as value": attempt(lambda: data[self.unit].update({"n": 1})),
            "number as key": attempt(lambda: data[self.unit].update({1: "n"})),
            "none as value": attempt(lambda: data[self.unit].update({"n": None})),
            "delete": attempt(lambda: data[self.unit].update({"value": ""})),
            "delete absent": attempt(lambda: data[self.unit].__delitem__("never")),
            "keys": sorted(data[self.unit]),
        }

    def probe_relations(self):
        """How relations are looked up."""

        def find(*args):
            relation = self.model.get_relation(*args)
            return relation and [relation.id, relation.active, relation.app and relation.app.name]

        def too_many():
            try:
                self.model.get_relation("server")
            except ops.TooManyRelatedAppsError as error:
                return [error.relation_name, error.num_related, error.max_supported]

        first = self.model.relations["server"][0]
        unknown = self.model.get_relation("server", 99)
        return {
            "endpoints": sorted(self.model.relations),
            "server": [[r.id, r.app.name, sorted(u.name for u in r.units)] for r in self.model.relations["server"]],
            "by endpoint": attempt(lambda: find("server")),
            "too many": too_many(),
            "none": attempt(lambda: find("db")),
            "by id": attempt(lambda: find("server", first.id)),
            "unknown id": attempt(lambda: find("server", 99)),
            "unknown id's data": attempt(lambda: dict(unknown.data[self.unit])),
            "no endpoint": attempt(lambda: find("nothing")),
            "remote model": attempt(lambda: first.remote_model.uuid == self.model.uuid),
        }


if __name__ == "__main__":
    ops.main(PairCharm)
