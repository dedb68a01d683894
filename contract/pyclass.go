package contract

import "strings"

// pyClass is a class as far as it is data.
type pyClass struct {
	name  string
	bases []string
	// fields are annotated names; values are plain ones, of enumerations.
	fields []pyField
	values []pyExpr
	// odd says that a line of its body was not understood.
	odd bool
	// opaque says why nothing can be said about what the class takes; empty: its fields say it.
	opaque string
	// before are fields whose values a validator of the class's own sees first, and may change.
	before map[string]bool
	// eitherName says that a field with an alias may also come under its own name.
	eitherName bool
}

type pyField struct {
	name       string
	annotation pyExpr
	def        *pyExpr // nil: none
}

// pyFile collects the classes of a file.
type pyFile struct {
	i       *Import
	classes map[string]*pyClass
	order   []string
	tooMany bool
}

// read finds the classes at the top of the file and the fields right below them.
func (f *pyFile) read(lines []pyLine) {
	var class *pyClass
	body, config := 0, false
	for _, line := range lines {
		t := line.tokens
		if line.indent == 0 {
			class, body, config = nil, 0, false
			if len(t) >= 2 && t[0].text == "class" && t[1].kind == 'w' {
				class = f.class(t)
			}
			continue
		}
		if class == nil {
			continue
		}
		if body == 0 {
			body = line.indent
		}
		switch {
		case line.indent == body:
			config = len(t) > 1 && t[0].text == "class" && t[1].text == "Config"
			f.member(class, line)
		case config && len(t) > 2 && t[1].kind == '=':
			f.option(class, t[0].text, parseExpr(t[2:]))
		}
		f.tooMany = f.tooMany || len(f.order) > MaxKeys || len(class.fields)+len(class.values)+len(class.bases) > MaxKeys
		if f.tooMany {
			return
		}
	}
}

// class begins a class.
func (f *pyFile) class(t []pyToken) *pyClass {
	c := &pyClass{name: t[1].text, before: map[string]bool{}}
	if len(t) > 3 && t[2].kind == '(' {
		e := parseExpr(t[1 : len(t)-1]) // without the colon: reads as a call
		if e.kind != '(' {
			c.opaque = "its first line is not understood"
		}
		for _, base := range e.parts {
			c.bases = append(c.bases, base.text)
		}
		for _, name := range names(e.named) {
			f.option(c, name, e.named[name])
		}
	}
	if f.classes[c.name] != nil {
		f.i.note(c.name, "the class is there twice; the last counts")
	} else {
		f.order = append(f.order, c.name)
	}
	f.classes[c.name] = c
	return c
}

// member reads one line of a class.
func (f *pyFile) member(c *pyClass, line pyLine) {
	t := line.tokens
	switch {
	case t[0].kind == '@':
		f.decorator(c, parseExpr(t[1:]), line.number)
	case t[0].kind == '"', statements.has(t[0].text):
		if t[0].text == "class" && len(t) > 1 && t[1].text != "Config" {
			f.i.note(c.name, "not checked: the class %s inside it (line %d)", t[1].text, line.number)
		}
	case t[0].kind != 'w' || len(t) < 3:
		c.odd = true
	case t[1].kind == ':':
		c.fields = append(c.fields, annotated(t))
	case t[1].kind == '=' && t[0].text == "model_config":
		f.config(c, parseExpr(t[2:]))
	case t[1].kind == '=':
		c.values = append(c.values, parseExpr(t[2:]))
	default:
		c.odd = true
	}
}

// statements begin lines that are no data.
const statements wordList = "class def async pass"

// annotated is a field: its name, a colon, its type and perhaps a default.
func annotated(t []pyToken) pyField {
	field := pyField{name: t[0].text}
	rest, at := t[2:], assignment(t[2:])
	if at >= 0 {
		def := parseExpr(rest[at+1:])
		field.def, rest = &def, rest[:at]
	}
	field.annotation = parseExpr(rest)
	return field
}

// decorator reads what stands over a method. A validator that sees a value before its type
// is looked at may make anything of it, so the type says nothing then; one that comes after
// only refuses more.
func (f *pyFile) decorator(c *pyClass, e pyExpr, line int) {
	if !strings.Contains(e.text, "validator") {
		return
	}
	mode, first := e.named["mode"], e.named["pre"].text == "True"
	if first = first || mode.kind != 0 && mode.text != "after"; !first {
		f.i.note(c.name, "not checked: the class has validators of its own (line %d)", line)
		return
	}
	f.i.note(c.name, "not checked: a validator of the class sees the data before it is looked at (line %d)", line)
	if e.text != "validator" && e.text != "field_validator" {
		c.opaque = "it changes its data before it looks at it"
		return
	}
	for _, part := range e.parts {
		if part.kind != '"' {
			part.text = "*"
		}
		c.before[part.text] = true
	}
}

// config reads model_config.
func (f *pyFile) config(c *pyClass, e pyExpr) {
	if e.kind != '(' || len(e.parts) > 0 {
		c.opaque = "its model_config is not understood"
		return
	}
	for _, name := range names(e.named) {
		f.option(c, name, e.named[name])
	}
}

// harmlessOptions are settings of a class that change nothing of what it takes.
const harmlessOptions wordList = "title extra schema_extra json_schema_extra frozen allow_mutation validate_assignment validate_all " +
	"validate_default arbitrary_types_allowed use_enum_values orm_mode from_attributes protected_namespaces copy_on_model_validation"

// option reads one setting of a class.
func (f *pyFile) option(c *pyClass, name string, e pyExpr) {
	switch {
	case name == "extra" && e.text != "ignore" && e.text != "allow" && !strings.HasSuffix(e.text, ".ignore") && !strings.HasSuffix(e.text, ".allow"):
		f.i.note(c.name, "not checked: that there are no other fields")
	case harmlessOptions.has(name):
	case name == "populate_by_name" || name == "allow_population_by_field_name" || name == "validate_by_name":
		c.eitherName = c.eitherName || e.text != "False"
	default:
		c.opaque = "its setting " + clip(name) + " changes what it takes"
	}
}

// assignment is where the = of a field is, outside all brackets, or -1.
func assignment(t []pyToken) int {
	depth := 0
	for i, token := range t {
		switch token.kind {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '=':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}
