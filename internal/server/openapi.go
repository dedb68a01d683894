package server

import (
	"fmt"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kith/internal/api"
)

// openAPI is the document in its two forms.
type openAPI struct{ json, yaml []byte }

// describe generates the document from the table of routes and the table of
// commands. Only the document is huma's: its request handling reads and checks a
// body twice, which a hook's commit with large databags would pay for.
func describe(table []route, version string) (doc openAPI, err error) {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	o := &huma.OpenAPI{OpenAPI: "3.1.0", Info: &huma.Info{Title: "kith controller", Version: version,
		Description: "Commands change a model and are answered when they are durable. Streams are NDJSON; their last line may be {\"end\": …}."},
		Paths: map[string]*huma.PathItem{}, Components: &huma.Components{Schemas: registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{"credential": {Type: "http", Scheme: "bearer",
				Description: "A host's or a unit's credential. On the controller's own socket an operator needs none."}}}}
	failure := schemaOf(registry, api.Error{})
	add := func(method, at, id, summary string, params []*huma.Param, in, out any, contentType string) {
		op := &huma.Operation{Method: method, Path: at, OperationID: id, Summary: summary, Parameters: append(pathParams(at), params...),
			Security: []map[string][]string{{}, {"credential": {}}}, Responses: map[string]*huma.Response{"default": {Description: "It failed.",
				Content: map[string]*huma.MediaType{"application/json": {Schema: failure}}}}}
		if in != nil {
			op.RequestBody = &huma.RequestBody{Required: true,
				Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf(registry, in)}}}
		}
		ok := &huma.Response{Description: "It is done."}
		if out != nil {
			ok.Content = map[string]*huma.MediaType{contentType: {Schema: schemaOf(registry, out)}}
		}
		op.Responses["200"] = ok
		o.AddOperation(op)
	}
	for _, r := range table {
		if r.id == "" {
			continue
		}
		contentType := "application/json"
		if r.stream {
			contentType = "application/x-ndjson"
		}
		var params []*huma.Param
		for _, p := range r.query {
			params = append(params, &huma.Param{Name: p.name, In: "query", Description: p.about, Schema: &huma.Schema{Type: p.kind}})
		}
		add(r.method, r.path, r.id, r.summary, params, r.in, r.out, contentType)
	}
	for _, c := range api.Commands() {
		at := strings.Replace(api.PathCommand, "{op}", c.Name, 1)
		add(http.MethodPost, at, c.Name, c.Summary, nil, c.Body, api.CommandReply{}, "application/json")
	}
	if doc.json, err = o.MarshalJSON(); err != nil {
		return doc, fmt.Errorf("cannot describe the API: %w", err)
	}
	doc.yaml, err = o.YAML()
	return doc, err
}

// pathParams are the parameters in a path.
func pathParams(at string) []*huma.Param {
	var params []*huma.Param
	for part := range strings.SplitSeq(at, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params = append(params, &huma.Param{Name: strings.TrimSuffix(name, "}"), In: "path", Required: true, Schema: &huma.Schema{Type: "string"}})
		}
	}
	return params
}

func schemaOf(r huma.Registry, v any) *huma.Schema { return r.Schema(reflect.TypeOf(v), true, "") }

// schemaName names a type by its package and its name: api.Status and core.Status
// are two things. Those of api go without.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if pkg := path.Base(t.PkgPath()); t.PkgPath() != "" && !slices.Contains([]string{"api", "."}, pkg) && t.Name() != "" {
		return strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	return name
}
