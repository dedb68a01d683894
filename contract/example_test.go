package contract_test

import (
	"fmt"

	"kith"
	"kith/contract"
)

const greeting = `
interface: greeting
version: 1
provider:
  app:
    keys:
      endpoint: {required: true, schema: {type: string, pattern: '^[^:]+:[0-9]+$'}}
      languages: {encoding: json, schema: {type: array, items: {enum: [de, en, fr]}}}
      password: {required: true, via: [secret-user], sensitive: true}
      secret-user: {secret: only}
`

// A contract is read and compiled once, and then checks any number of databags.
func Example() {
	c, err := contract.Parse("greeting.yaml", []byte(greeting))
	if err != nil {
		fmt.Println(err)
		return
	}
	checker, err := c.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, bag := range []map[string]string{
		{},
		{"endpoint": "db:1"},
		{"endpoint": "db:1", "secret-user": "secret:d2fjn1fmp25004or68b0"},
		{"endpoint": "db", "languages": `["en","xx"]`},
	} {
		v := checker.CheckBag(kith.Provider, contract.AppBag, bag)
		fmt.Println(v.State, v.Missing)
		for _, x := range v.Violations {
			fmt.Println("  ", x)
		}
	}
	// Output:
	// absent [endpoint password]
	// partial [password]
	// valid []
	// violating [password]
	//    endpoint: "db": it must match ^[^:]+:[0-9]+$ (pattern)
	//    languages/1: "xx": it must be one of ["de","en","fr"] (enum)
}

// The line and the place of a mistake are in the error.
func ExampleParse() {
	_, err := contract.Parse("greeting.yaml", []byte("interface: greeting\nprovider:\n  app:\n    keys:\n      port: {encoding: xml}\n"))
	fmt.Println(err)
	fmt.Println(kith.CodeOf(err))
	// Output:
	// cannot read "greeting.yaml": line 5: provider/app/keys/port/encoding: "xml" is none of raw, json
	// invalid
}

// A file of the public catalogue says what it can; the notes say what is not checked.
func ExampleImportFile() {
	i := contract.ImportFile(contract.File{Path: "greeting/v1/schema.py", Text: []byte(`
class Provider(BaseModel):
    endpoint: str
    port: conint(gt=0)

class ProviderSchema(DataBagSchema):
    app: Provider
`)})
	fmt.Println(i.Form, i.Contract.Interface, i.Contract.Version, i.Checked, "of", i.Keys)
	for _, n := range i.Notes {
		fmt.Println(n)
	}
	// Output:
	// pydantic greeting 1 1 of 2
	// Provider/port: not checked: the annotation conint is not known
	// properties/app/properties/port: not checked: the source gives no type
}

// A draft says what was seen; whoever wrote it is not named.
func ExampleInfer() {
	c, notes, err := contract.Infer("greeting", []contract.Sample{
		{Role: kith.Provider, Bag: contract.AppBag, Owner: "db", Data: map[string]string{"port": "5432", "hosts": `["a"]`}},
		{Role: kith.Provider, Bag: contract.AppBag, Owner: "pg", Data: map[string]string{"port": "5433"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, k := range c.Provider.App.Keys {
		fmt.Println(k.Name, k.Encoding, k.Schema, k.Required)
	}
	fmt.Println(notes)
	// Output:
	// hosts json map[items:map[type:string] type:array] false
	// port json map[type:integer] true
	// [provider/app/port: what was seen reads as JSON and as plain text alike; it is taken for JSON]
}

// A change that breaks those who follow the older contract is named, with whom it breaks.
func ExampleBreaking() {
	older, _ := contract.Parse("old.yaml", []byte("interface: greeting\nversion: 1\nprovider: {app: {keys: {port: {schema: {type: string}}}}}"))
	newer, _ := contract.Parse("new.yaml", []byte("interface: greeting\nversion: 1\nprovider: {app: {keys: {port: {required: true, schema: {type: string, maxLength: 5}}}}}"))
	breaks, err := contract.Breaking(older, newer)
	if err != nil {
		fmt.Println(err)
	}
	for _, b := range breaks {
		fmt.Println(b.Rule, b.Path, b.Breaks)
	}
	// Output:
	// required-added provider/app/port writers
	// bounds-narrowed provider/app/port writers
}

// Structs for [kith/ops.Relation.Load] and Save.
func ExampleContract_GoStructs() {
	c, _ := contract.Parse("greeting.yaml", []byte("interface: greeting\nprovider: {app: {keys: {port: {required: true, encoding: json, schema: {type: integer}}}}}"))
	text, err := c.GoStructs("greeting")
	fmt.Println(string(text), err)
	// Output:
	// // Code generated from the contract of greeting, version 0. DO NOT EDIT.
	//
	// package greeting
	//
	// // ProviderApp is what the provider writes into its application databag.
	// type ProviderApp struct {
	// 	Port int64 `databag:"port"`
	// }
	//  <nil>
}

// Bags that are checked together share a budget, so that a hostile contract takes nobody's time.
func ExampleChecker_CheckBagWithin() {
	c, _ := contract.Parse("list.yaml", []byte("interface: list\nprovider: {app: {keys: {items: {encoding: json, schema: {items: {type: integer}}}}}}"))
	checker, _ := c.Compile()
	budget := contract.NewBudget(100)
	for range 3 {
		v := checker.CheckBagWithin(budget, kith.Provider, contract.AppBag, map[string]string{"items": "[1, 2, 3]"})
		fmt.Println(v.State, v.Unchecked)
	}
	// Output:
	// valid []
	// valid []
	// valid [items: the value is too large for its schema: 9 bytes]
}
