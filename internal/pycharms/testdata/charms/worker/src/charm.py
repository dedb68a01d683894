#!/usr/bin/env python3
"""Runs actions: what they are given, what they give, and how they fail."""

import dataclasses
import json
import os

import ops
from recorder import Recorder, attempt


@dataclasses.dataclass(frozen=True)
class Level:
    """The parameters of typed, checked."""

    level: int

    def __post_init__(self):
        if self.level > 9:
            raise ValueError(f"level {self.level} is too high")


class WorkerCharm(ops.CharmBase):
    """Has an action for everything."""

    def __init__(self, framework):
        super().__init__(framework)
        self.recorder = Recorder(self)
        for name in ["work", "typed", "publish", "refuse", "crash", "misuse"]:
            framework.observe(self.on[name].action, getattr(self, f"_on_{name}"))
        framework.observe(self.on.config_changed, self._on_config_changed)

    def _on_config_changed(self, event):
        if self.config["broken"]:
            raise RuntimeError("broken")

    def _on_work(self, event):
        event.log("half way")
        event.log("-- done --")
        event.set_results({
            "params": json.dumps(event.params, sort_keys=True),
            "id": event.id,
            "nested": {"deep": {"er": "x"}, "other": "y"},
            "empty": "",
            "environment": json.dumps([os.environ[k] for k in ["JUJU_ACTION_NAME", "JUJU_ACTION_TAG", "JUJU_DISPATCH_PATH", "JUJU_HOOK_NAME"]]),
        })
        print("printed")

    def _on_typed(self, event):
        params = event.load_params(Level, errors="fail")
        event.set_results({"level": f"{params.level} {type(params.level).__name__}"})

    def _on_publish(self, event):
        self.model.get_relation("ring").data[self.unit]["word"] = event.params["word"]
        if event.params["word"] == "bad":
            raise RuntimeError("after the writing")

    def _on_refuse(self, event):
        event.set_results({"half": "way"})
        event.fail("not today")

    def _on_crash(self, event):
        event.set_results({"half": "way"})
        raise RuntimeError("out of order")

    def _on_misuse(self, event):
        event.set_results({
            "key": str(attempt(lambda: event.set_results({"Bad_Key": "x"}))),
            "twice": str(attempt(lambda: event.set_results({"a": {"b": "1"}, "a.b": "2"}))),
            "reserved": str(attempt(lambda: event.set_results({"stdout": "x"}))),
            "defer": str(attempt(event.defer)),
        })


if __name__ == "__main__":
    ops.main(WorkerCharm)
