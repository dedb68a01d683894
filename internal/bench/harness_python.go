package main

// harnessPython is the charm and the tests of group_harness.go on Python's ops.testing:
// the same calls, one by one. Its arguments are numbers of relations; it prints medians in milliseconds, as JSON.
const harnessPython = `import dataclasses
import json
import logging
import sys
import time
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import ops
import yaml
from ops.testing import Harness

try:
    from ops.testing import Context, Relation, State
except ImportError:
    Context = None

META = """
name: web
requires:
  db: {interface: pgsql}
"""


class Web(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        framework.observe(self.on.db_relation_joined, self._joined)
        framework.observe(self.on.db_relation_changed, self._changed)

    def _joined(self, event):
        pass

    def _changed(self, event):
        if event.unit is None:
            return
        host = event.relation.data[event.unit].get("host")
        if host:
            event.relation.data[self.unit]["uses"] = host


def median(times):
    return sorted(times)[len(times) // 2] * 1000


def timed(f):
    begin = time.perf_counter()
    f()
    return time.perf_counter() - begin


def cycle(relations, rounds=100):
    h = Harness(Web, meta=META)
    h.begin()
    for i in range(relations - 1):
        rel = h.add_relation("db", f"other{i}")
        h.add_relation_unit(rel, f"other{i}/0")
    rel = h.add_relation("db", "pg")
    times = []
    for i in range(rounds):
        unit = f"pg/{i}"

        def once():
            h.add_relation_unit(rel, unit)
            h.update_relation_data(rel, unit, {"host": unit})
            assert h.get_relation_data(rel, "web/0")["uses"] == unit

        times.append(timed(once))
        h.remove_relation_unit(rel, unit)
    h.cleanup()
    return median(times)


def whole():
    h = Harness(Web, meta=META)
    h.set_leader(True)
    h.begin_with_initial_hooks()
    rel = h.add_relation("db", "pg")
    h.add_relation_unit(rel, "pg/0")
    h.update_relation_data(rel, "pg/0", {"host": "db1"})
    assert h.get_relation_data(rel, "web/0")["uses"] == "db1"
    h.cleanup()


# With Context the test says which event comes, and what has changed before it.
def context_cycle(ctx, rel, state, others=()):
    state = ctx.run(ctx.on.relation_joined(rel, remote_unit=0), state)
    rel = dataclasses.replace(state.get_relation(rel.id), remote_units_data={0: {"host": "db1"}})
    state = ctx.run(ctx.on.relation_changed(rel, remote_unit=0), dataclasses.replace(state, relations=[rel, *others]))
    assert state.get_relation(rel.id).local_unit_data["uses"] == "db1"


def context_whole():
    ctx = Context(Web, meta=yaml.safe_load(META))
    state = State(leader=True)
    for event in (ctx.on.install(), ctx.on.leader_elected(), ctx.on.config_changed(), ctx.on.start()):
        state = ctx.run(event, state)
    rel = Relation("db", remote_app_name="pg")
    state = ctx.run(ctx.on.relation_created(rel), dataclasses.replace(state, relations=[rel]))
    context_cycle(ctx, rel, state)


sizes = [int(n) for n in sys.argv[1:]]
out = {"cycle": {n: cycle(n) for n in sizes}, "whole": median([timed(whole) for _ in range(50)])}
if Context:
    ctx = Context(Web, meta=yaml.safe_load(META))
    out["context-cycle"] = {}
    for n in sizes:
        rel = Relation("db", remote_app_name="pg")
        others = [Relation("db", remote_app_name=f"other{i}", remote_units_data={0: {}}) for i in range(n - 1)]
        state = State(relations=[rel, *others])
        out["context-cycle"][n] = median([timed(lambda: context_cycle(ctx, rel, state, others)) for _ in range(20)])
    out["context-whole"] = median([timed(context_whole) for _ in range(10)])
print(json.dumps(out))
`
