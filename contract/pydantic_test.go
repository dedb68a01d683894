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

// What a class takes beyond its annotations is not guessed: each of these keys would be
// refused values that the class takes.
func TestPydanticNeverGuesses(t *testing.T) {
	t.Parallel()
	const bag = "class ProviderSchema(DataBagSchema):\n    app: App\n"
	app := func(body string) string { return "class App(BaseModel):\n" + body + bag }
	for name, test := range map[string]struct {
		text, key, value string
		state            State
		note             string
	}{
		"a class that is a string":     {"class Text(str):\n    def f(self) -> int: ...\n" + app("    k: List[Text]\n"), "k", `["a"]`, Valid, "Text: not checked: its base str is not in the file"},
		"a class from elsewhere":       {"class Root(RootModel[list]):\n    pass\n" + app("    k: Root\n"), "k", `[1]`, Valid, "its base RootModel is not in the file"},
		"a class of another module":    {"class Port(BaseModel):\n    n: int\n" + app("    k: other.Port\n"), "k", "3", Valid, "the annotation other.Port is not known"},
		"a validator before":           {app("    k: int\n    @validator('k', pre=True)\n    def f(cls, v): return 1\n"), "k", "yaml", Valid, "a validator may make anything of the value"},
		"a field validator before":     {app("    k: int\n    @pydantic.field_validator('k', mode='before')\n    def f(cls, v): return 1\n"), "k", "yaml", Valid, "a validator may make anything of the value"},
		"a validator after":            {app("    k: int\n    @validator('k')\n    def f(cls, v): return 1\n"), "k", "yaml", Violating, "validators of its own (line 3)"},
		"a model validator before":     {app("    k: int\n    @model_validator(mode='before')\n    def f(cls, v): return v\n"), "other", "x", Valid, "it changes its data before it looks at it"},
		"a generator of names":         {app("    k_k: int\n    model_config = ConfigDict(alias_generator=hyphens)\n"), "k-k", "x", Valid, "its setting alias_generator changes what it takes"},
		"a generator of names, before": {app("    k_k: int\n    class Config:\n        alias_generator = hyphens\n"), "k-k", "x", Valid, "its setting alias_generator changes what it takes"},
		"a setting of the class":       {"class App(BaseModel, alias_generator=hyphens):\n    k_k: int\n" + bag, "k-k", "x", Valid, "alias_generator"},
		"settings as a dictionary":     {app("    k_k: int\n    model_config = {'alias_generator': hyphens}\n"), "k-k", "x", Valid, "its model_config is not understood"},
		"inherited settings":           {"class Base(BaseModel):\n    model_config = ConfigDict(alias_generator=hyphens)\nclass App(Base):\n    k_k: int\n" + bag, "k-k", "x", Valid, "alias_generator"},
		"a harmless setting":           {app("    k: int\n    class Config:\n        schema_extra = {'a': 1}\n"), "k", "x", Violating, ""},
		"either name":                  {app("    k_k: int = Field(alias='k')\n    model_config = ConfigDict(populate_by_name=True)\n"), "k_k", "3", Valid, "it may come as k or as k_k"},
		"read and written":             {app("    k: int = Field(serialization_alias='z')\n"), "z", "x", Valid, "it is read as k and written as z"},
		"an alias for reading":         {app("    k_k: int = Field(validation_alias='k')\n"), "k", "x", Violating, ""},
		"an alias of choices":          {app("    k_k: int = Field(validation_alias=AliasChoices('a', 'b'))\n"), "a", "x", Valid, "its validation_alias is computed"},
		"a null default inside":        {"class In(BaseModel):\n    n: int = Field(default=None, ge=1)\n" + app("    k: In\n"), "k", `{"n":null}`, Valid, ""},
		"a wrong value inside":         {"class In(BaseModel):\n    n: int = Field(default=None, ge=1)\n" + app("    k: In\n"), "k", `{"n":0}`, Violating, ""},
		"a field in Annotated":         {app("    k: Annotated[int, Field(ge=1)]\n"), "k", "0", Violating, ""},
		"a validator in Annotated":     {app("    k: Annotated[int, BeforeValidator(f)]\n"), "k", "x", Valid, "not checked: what BeforeValidator says"},
		"an odd enumeration":           {"class E(Enum):\n    a, b = 'a', 'b'\n    c = 'c'\n" + app("    k: E\n"), "k", "a", Valid, "a line of the enumeration is not understood"},
		"an annotated enumeration":     {"class E(Enum):\n    a: str = 'a'\n    c = 'c'\n" + app("    k: E\n"), "k", "a", Valid, "a line of the enumeration is not understood"},
		"an enumeration of a module":   {"class E(str, enum.Enum):\n    'Words.'\n    a = 'a'\n" + app("    k: E\n"), "k", "b", Violating, ""},
		"a class in one line":          {"class In(BaseModel): n: int\n" + app("    k: In\n"), "k", "x", Valid, "its first line is not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := ImportFile(File{"x/v0/schema.py", []byte(test.text)})
			if i.Contract == nil {
				t.Fatal(i.Refused)
			}
			checker, err := i.Contract.Compile()
			if err != nil {
				t.Fatal(err)
			}
			v := checker.CheckBag(kith.Provider, AppBag, map[string]string{test.key: test.value})
			if test.state == Violating && v.State != Violating || test.state != Violating && len(v.Violations) > 0 {
				t.Errorf("%s=%s: %s", test.key, test.value, verdictText(v))
			}
			if test.state == Valid && len(v.Missing) > 0 && v.Missing[0] != test.key {
				t.Errorf("%v are missing", v.Missing)
			}
			said := ""
			for _, n := range i.Notes {
				said += n.String() + "\n"
			}
			if !strings.Contains(said, test.note) {
				t.Errorf("it says\n%swant %q", said, test.note)
			}
		})
	}
}
