package ops_test

import (
	"errors"
	"maps"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/ops"
)

type payload struct {
	Host    string     `databag:"host,text"`
	Port    int        `databag:"port,text"`
	Secure  bool       `databag:"secure,text"`
	Addr    netip.Addr `databag:"addr,text,omitempty"`
	Names   []string   `databag:"names"`
	Label   string     `databag:"label"`
	Maybe   *int       `databag:"maybe"`
	Empty   string     `databag:"empty,omitempty"`
	Skipped string     `databag:"-"`
	Plain   string
	inner
}

type inner struct {
	Deep int `databag:"deep"`
}

// Ops reference, section 5.6: JSON per field by default, as charms in Python have it.
func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	w := newWorld()
	addr := netip.MustParseAddr("10.0.0.1")
	saved := payload{Host: "db.example", Port: 5432, Secure: true, Addr: addr, Names: []string{"a", "b"}, Label: "l", Skipped: "s", Plain: "p", inner: inner{3}}
	w.bags["4 web/0"]["maybe"] = "1"
	w.inRelation(t, configure, func(m *ops.Model, r *ops.Relation) error {
		if err := r.Save(m.Unit(), saved); err != nil {
			return err
		}
		var back payload
		if err := r.Load(m.Unit(), &back); err != nil {
			return err
		}
		saved.Skipped = ""
		if back.Host != saved.Host || back.Port != 5432 || !back.Secure || back.Addr != addr || len(back.Names) != 2 ||
			back.Label != "l" || back.Plain != "p" || back.Maybe != nil || back.Deep != 3 {
			t.Errorf("read back %+v", back)
		}
		return r.Save(m.Unit(), &saved) // again: nothing to do
	})
	want := map[string]string{"private-address": "127.0.1.1", "host": "db.example", "port": "5432", "secure": "true",
		"addr": "10.0.0.1", "names": `["a","b"]`, "label": `"l"`, "Plain": `"p"`, "deep": "3"}
	if got := w.bags["4 web/0"]; !maps.Equal(got, want) {
		t.Errorf("the databag holds\n%v, want\n%v", got, want)
	}
	if n := w.count("relation-set"); n != 1 {
		t.Errorf("%d calls of relation-set", n)
	}
}

type checked struct {
	Port int `databag:"port,text"`
}

func (c *checked) Validate() error {
	if c.Port == 0 {
		return errors.New("no port")
	}
	return nil
}

func TestLoadWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.bags["4 pg/0"] = map[string]string{"port": "many", "names": "not json", "secure": "True"}
	w.inRelation(t, configure, func(m *ops.Model, r *ops.Relation) error {
		pg0 := kith.UnitName("pg/0")
		var wrong *ops.RelationDataTypeError
		if err := r.Load(pg0, &checked{}); !errors.As(err, &wrong) || wrong.Key != "port" || wrong.Type != "int" {
			t.Errorf("a port that is no number: %v", err)
		}
		var names struct {
			Names []string `databag:"names"`
		}
		if err := r.Load(pg0, &names); !errors.As(err, &wrong) || wrong.Key != "names" {
			t.Errorf("a list that is no JSON: %v", err)
		}
		var secure struct {
			Secure bool `databag:"secure,text"`
		}
		if err := r.Load(pg0, &secure); err != nil || !secure.Secure {
			t.Errorf("True, as Python writes it: %v, %v", secure, err)
		}
		if err := r.Load(kith.UnitName("pg/1"), &checked{}); err == nil || err.Error() != "no port" {
			t.Errorf("Validate is not asked: %v", err)
		}
		if err := r.Load(pg0, checked{}); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("into no pointer: %v", err)
		}
		if err := r.Save(m.Unit(), struct {
			F func() `databag:"f"`
		}{func() {}}); !errors.As(err, &wrong) || wrong.Key != "f" {
			t.Errorf("a field that cannot be written: %v", err)
		}
		var denied *ops.RelationDataAccessError
		if err := r.Save(pg0, checked{1}); !errors.As(err, &denied) {
			t.Errorf("saving what belongs to others: %v", err)
		}
		return nil
	})
}

// A field reads back what was saved from it, whatever its type prints as.
func TestTextFieldsReadBack(t *testing.T) {
	t.Parallel()
	type texts struct {
		Wait  time.Duration `databag:"wait,text"` // a number: nanoseconds
		Ratio float64       `databag:"ratio,text"`
		Small float32       `databag:"small,text"`
		Size  uint8         `databag:"size,text"`
		On    bool          `databag:"on,text"`
		Deep  *int          `databag:"deep,text"`
		Large big.Int       `databag:"large,text"` // its methods have a pointer
	}
	deep := -3
	saved := texts{5 * time.Second, 1e21, 0.1, 255, true, &deep, *big.NewInt(12)}
	w := newWorld()
	w.inRelation(t, configure, func(m *ops.Model, r *ops.Relation) error {
		var back texts
		if err := errors.Join(r.Save(m.Unit(), saved), r.Load(m.Unit(), &back)); err != nil || back.Deep == nil || *back.Deep != deep {
			t.Errorf("read back %+v, %v", back, err)
		}
		if back.Deep = saved.Deep; !reflect.DeepEqual(back, saved) {
			t.Errorf("read back %+v, want %+v", back, saved)
		}
		return nil
	})
	if got := w.bags["4 web/0"]["wait"]; got != "5000000000" {
		t.Errorf("a number is written as %q", got)
	}
}

// Ops reference, section 7, configuration: a value has the type of its option, however the host
// prints it.
func TestConfigTypes(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.context.Config = map[string]any{"port": float64(1 << 50), "ratio": 1.0, "debug": true, "log-level": ""}
	type limits struct{ Ratio float64 }
	w.in(t, configure, func(m *ops.Model) error {
		all, err := m.Config()
		if err != nil || all["port"] != int64(1<<50) || all["ratio"] != 1.0 || all["debug"] != true || all["log-level"] != "" {
			t.Errorf("config %#v, %v", all, err)
		}
		var c struct {
			limits
			Port int
		}
		if err := m.LoadConfig(&c); err != nil || c.Ratio != 1 || c.Port != 1<<50 {
			t.Errorf("loaded %+v, %v", c, err)
		}
		return nil
	})
	w.context.Config = map[string]any{"log-level": "10.0.0.1"}
	w.in(t, configure, func(m *ops.Model) error {
		var c struct {
			LogLevel *netip.Addr
			Mistyped string `config:"log-levle"`
		}
		err := m.LoadConfig(&c)
		if kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), `"log-levle"`) || kith.HintOf(err) == "" {
			t.Errorf("a tag that names no option: %v", err)
		}
		if c.LogLevel == nil || c.LogLevel.String() != "10.0.0.1" {
			t.Errorf("what reads itself from text: %v", c.LogLevel)
		}
		w.context.Config["log-level"] = "nowhere"
		return nil
	})
	w.in(t, configure, func(m *ops.Model) error {
		var c struct{ LogLevel netip.Addr }
		if err := m.LoadConfig(&c); kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), `"log-level"`) {
			t.Errorf("what it cannot read: %v", err)
		}
		if err := (ops.Config{"x": "a"}).Load(c); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("into no pointer: %v", err)
		}
		return nil
	})
}

// Ops reference, section 7, configuration.
func TestLoadConfig(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.in(t, configure, func(m *ops.Model) error {
		c := struct {
			Port     uint16
			LogLevel string
			Debug    *bool
			Ratio    float32
			Other    int    `config:"port"`
			Any      any    `config:"ratio"`
			Not      string `config:"-"`
			Unknown  string
		}{LogLevel: "info", Unknown: "as it was"}
		if err := m.LoadConfig(&c); err != nil {
			return err
		}
		if c.Port != 8080 || c.LogLevel != "info" || c.Debug == nil || *c.Debug || c.Ratio != 0.5 || c.Other != 8080 || c.Any != 0.5 || c.Unknown != "as it was" {
			t.Errorf("loaded %+v", c)
		}
		var wrong struct{ Port string }
		if err := m.LoadConfig(&wrong); kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), `"port"`) {
			t.Errorf("a number into a string: %v", err)
		}
		var small struct{ Port int8 }
		if err := m.LoadConfig(&small); err == nil {
			t.Error("8080 went into an int8")
		}
		all, err := m.Config()
		if err != nil || all["port"] != int64(8080) || all["debug"] != false || len(all) != 3 {
			t.Errorf("Config = %v, %v", all, err)
		}
		return nil
	})
	if n := w.count("config-get"); n != 1 {
		t.Errorf("%d calls of config-get", n)
	}
}
