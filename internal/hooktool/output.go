package hooktool

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v2"
)

// output is the options --format and --output of a tool that prints a value.
type output struct {
	i      *invocation
	format string
	file   string
}

// output declares the options. The first format is the default.
func (i *invocation) output(formats ...string) *output {
	o := &output{i: i, format: formats[0]}
	i.options = append(i.options, &option{
		names: []string{"format"}, arg: "FORMAT", def: formats[0],
		choices: formats, help: "how to print",
		set: func(value string) error {
			if !slices.Contains(formats, value) {
				return fmt.Errorf("unknown format %q", value)
			}
			o.format = value
			return nil
		},
	}, &option{names: []string{"o", "output"}, arg: "FILE", help: "print to a file", set: func(value string) error {
		o.file = value
		return nil
	}})
	return o
}

// anyFormat are the formats of nearly every tool.
func (i *invocation) anyFormat() *output { return i.output("smart", "yaml", "json") }

// print prints value on standard output, or in the file that was asked for.
func (o *output) print(value any) error {
	text, err := render(o.format, value)
	if err != nil {
		return err
	}
	if o.file != "" {
		return o.i.run.host.WriteFile(o.i.path(o.file), text)
	}
	o.i.stdout = append(o.i.stdout, text...)
	return nil
}

// render writes a value in a format (section 6.4).
func render(format string, value any) ([]byte, error) {
	switch format {
	case "json":
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		return append(text, '\n'), nil
	case "smart":
		return renderSmart(value)
	}
	return renderYAML(value)
}

func renderSmart(value any) ([]byte, error) {
	var text string
	switch v := value.(type) {
	case nil:
	case string:
		text = v
	case []string:
		text = strings.Join(v, "\n")
	case bool:
		text = "False"
		if v {
			text = "True"
		}
	default:
		return renderYAML(value)
	}
	if text == "" {
		return nil, nil
	}
	return []byte(text + "\n"), nil
}

// renderYAML writes block style YAML with exactly one newline at its end. It is done
// by version 2 of the library because Juju's output is: version 3 indents lists and
// does not fold long lines.
func renderYAML(value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return nil, err
	}
	return append([]byte(strings.TrimRight(string(text), "\n")), '\n'), nil
}

// plain turns a number that came through JSON back into an integer where it is one:
// a port must print as 8080000, not as 8.08e+06.
func plain(value any) any {
	const exact = 1 << 53 // integers beyond are not exact in a float
	switch v := value.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= exact {
			return int64(v)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return plain(f)
		}
		return v.String()
	case map[string]any:
		whole := make(map[string]any, len(v))
		for k, e := range v { // any order: a map is made
			whole[k] = plain(e)
		}
		return whole
	case []any:
		whole := make([]any, 0, len(v))
		for _, e := range v {
			whole = append(whole, plain(e))
		}
		return whole
	}
	return value
}
