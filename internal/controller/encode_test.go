package controller

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"kith/internal/core"
)

// The JSON written by hand is that of encoding/json, whatever the fields hold.
// Every field of the types is filled, so that one added to them later is noticed.
func TestMarshalIsEncodingJSON(t *testing.T) {
	t.Parallel()
	e := newEncoder(nil)
	if !e.byHand {
		t.Fatal("a type has another number of fields than encode.go knows: write the new one there, too")
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 3000 {
		for _, zero := range []any{core.Bag{}, core.Progress{}, core.Entry{}} {
			v := reflect.New(reflect.TypeOf(zero)).Elem()
			scramble(rnd, v, 0)
			want, err := json.Marshal(v.Interface())
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.marshal(v.Interface())
			if err != nil || string(got) != string(want) {
				t.Fatalf("got  %s\nwant %s (%v)", got, want, err)
			}
		}
	}
}

// scramble fills a value at random; a quarter of it stays empty.
func scramble(rnd *rand.Rand, v reflect.Value, depth int) {
	if depth > 0 && rnd.IntN(4) == 0 {
		return
	}
	texts := []string{"", "a", "web/0", "ä <b> & \"c\"", "line\nbreak", "\xff", "back\\slash", `[{"host":"a\b"}]`, `"`, `x"<`, "\u2028", "~ !"}
	if t, ok := v.Addr().Interface().(*time.Time); ok {
		zone := []*time.Location{time.UTC, time.FixedZone("", 3600)}[rnd.IntN(2)]
		*t = time.Unix(rnd.Int64N(4e9), rnd.Int64N(2)*rnd.Int64N(1e9)).In(zone)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			scramble(rnd, v.Field(i), depth+1)
		}
	case reflect.String:
		v.SetString(texts[rnd.IntN(len(texts))])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(rnd.Int64N(1000) - 10)
	case reflect.Uint64:
		v.SetUint(rnd.Uint64())
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		scramble(rnd, v.Elem(), depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rnd.IntN(3), 3))
		for i := range v.Len() {
			scramble(rnd, v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rnd.IntN(4) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			scramble(rnd, k, depth+1)
			scramble(rnd, e, depth+1)
			v.SetMapIndex(k, e)
		}
	default:
		panic(fmt.Sprintf("no way to fill a %s", v.Kind()))
	}
}
