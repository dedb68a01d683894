"""What the charms of the test suite share: a recorder of events.

The tests put this file into the charm's lib/, and a file named "record" into the
charm's root: the path of the file to which every unit appends a line of JSON for
each event it handled, with what a handler could see of the model.
"""

import json
import os

import ops


def attempt(function):
    """The result of a function, or the name and text of what it raised."""
    try:
        return function()
    except Exception as error:  # whatever it is, the test compares it
        return f"{type(error).__name__}: {str(error).strip()}"


def name(entity):
    """The name of a unit or an application, if there is one."""
    return entity.name if entity else ""


class Recorder(ops.Object):
    """Notes every hook event. Make it first, so that it sees what handlers find."""

    def __init__(self, charm):
        super().__init__(charm, "recorder")
        self.charm = charm
        for event in charm.on.events().values():
            if issubclass(event.event_type, ops.HookEvent):
                self.framework.observe(event, self._on_event)

    def _on_event(self, event):
        seen = {"leader": self.charm.unit.is_leader()}
        if isinstance(event, ops.RelationEvent):
            seen.update(self._relation(event))
        self.note(event.handle.kind, **seen)

    def note(self, kind, **more):
        """Append a line about this dispatch."""
        line = {
            "unit": self.charm.unit.name,
            "hook": os.path.basename(os.environ["JUJU_DISPATCH_PATH"]),
            "event": kind.replace("_", "-"),
            **more,
        }
        with open(self.charm.charm_dir / "record") as f:
            path = f.read().strip()
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(json.dumps(line, sort_keys=True) + "\n")

    def _relation(self, event):
        relation = event.relation
        seen = {
            "relation": relation.name,
            "id": relation.id,
            "app": name(event.app),
            "remote": name(event.unit),
            "active": relation.active,
            "relation-app": name(relation.app),
            "units": sorted(unit.name for unit in relation.units),
            "relations": [r.id for r in self.model.relations[relation.name]],
            "lookup": attempt(lambda: self._lookup(relation.name)),
            "data": {},
        }
        if isinstance(event, ops.RelationDepartedEvent):
            seen["departing"] = name(event.departing_unit)
        bags = {self.model.unit, self.model.app, relation.app, event.app, event.unit, *relation.units}
        for entity in sorted((e for e in bags if e), key=name):
            seen["data"][entity.name] = attempt(lambda: self._bag(relation, entity))
        return seen

    def _lookup(self, endpoint):
        relation = self.model.get_relation(endpoint)
        return relation.id if relation else None

    def _bag(self, relation, entity):
        bag = relation.data[entity]
        bag.get("")  # goes through the check of ops first, as a charm's reads do
        return dict(bag)
