package contract

import (
	"strings"
	"testing"

	"kith"
)

// greeter is a schema.py with everything the reader knows, and some it does not.
const greeter = `"""The schemas of a greeting.

class NotAClass(BaseModel):
"""
import os
from enum import Enum
from typing import Any, Dict, List, Literal, Optional, Union

from interface_tester.schema_base import DataBagSchema
from pydantic import AnyHttpUrl, BaseModel, Field, Json, validator

PORT = int(os.environ.get("PORT", 1))


class Mood(str, Enum):
    """How it is meant."""

    warm = "warm"
    cold = 'cold'


class Level(Enum):
    one = 1
    two = 2


class Base(BaseModel):
    name: str = Field(description="Who is "
                      "greeted.", min_length=1)


class Entry(Base):
    port: int = Field(..., ge=1, le=65535)  # a comment, with (a bracket
    tags: Optional[List[str]] = None

    @validator("port")
    def even(cls, value: int) -> int:
        odd: str = "this is no field"
        return value


class ProviderAppData(BaseModel):
    entries: Json[List[Entry]]
    mood: Mood = Mood.warm
    level: Level
    url: AnyHttpUrl
    labels: Dict[str, str] = {}
    secret_user: str = Field(None, alias="secret-user", pattern=r"^secret:\w+$")
    either: Union[str, int]
    anything: Any
    odd: constr(min_length=3)
    kind: Literal["a", "b"] = "a"
    later: "Entry"
    new: str | None = None
    tree: Optional["Tree"] = None


class Tree(BaseModel):
    below: List["Tree"]


class ProviderSchema(DataBagSchema):
    """What the provider writes."""
    app: ProviderAppData


class RequirerSchema(DataBagSchema):
    unit: Optional[Entry] = None
`

func TestPydantic(t *testing.T) {
	t.Parallel()
	i := ImportFile(File{"greeting/v3/schema.py", []byte(greeter)})
	if i.Contract == nil {
		t.Fatal(i.Refused)
	}
	if i.Contract.Interface != "greeting" || i.Contract.Version != 3 {
		t.Errorf("%s v%d", i.Contract.Interface, i.Contract.Version)
	}
	golden(t, "greeting.yaml", string(i.Contract.YAML()))
	var notes strings.Builder
	for _, n := range i.Notes {
		notes.WriteString(n.String() + "\n")
	}
	golden(t, "greeting-notes.txt", notes.String())
	checker, err := i.Contract.Compile()
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{"entries": `[{"name":"a","port":3,"tags":null}]`, "level": "1", "url": "http://x", "later": `{"name":"a","port":1}`, "either": "x", "anything": "", "odd": "q"}
	if v := checker.CheckBag(kith.Provider, AppBag, good); v.State != Partial || len(v.Missing) != 1 || v.Missing[0] != "anything" {
		t.Error(verdictText(v))
	}
	for key, value := range map[string]string{
		"entries": `[{"name":"","port":3}]`, "level": "3", "mood": "tepid", "later": `{"name":"a","port":0}`, "labels": `{"a":1}`,
		"secret-user": "joe", "kind": "c", "url": "no url",
	} {
		if v := checker.CheckBag(kith.Provider, AppBag, map[string]string{key: value}); v.State != Violating {
			t.Errorf("%s=%s: %s", key, value, verdictText(v))
		}
	}
	for _, key := range []string{"either", "anything", "odd"} {
		if k, _ := i.Contract.Provider.App.Key(key); k.Unchecked == "" {
			t.Errorf("%s is checked: %+v", key, k)
		}
	}
}

// What is no schema is refused, and says why.
func TestPydanticRefusals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "it has no class ProviderSchema",
		"x = 'abc":                "line 1: a string has no end",
		"\n\"\"\"":                "line 2: a string has no end",
		strings.Repeat("[", 1000): "nests deeper than",
	} {
		if i := ImportFile(File{"a/v0/schema.py", []byte(text)}); !strings.Contains(i.Refused, want) {
			t.Errorf("%q: %q, want %q", clip(text), i.Refused, want)
		}
	}
}
