package kith

import (
	"regexp"
	"strconv"
	"strings"
)

// AppName names an application: "web", "postgresql-k8s".
type AppName string

// UnitName names one unit of an application: "web/0". The number has no leading zeros.
type UnitName string

// EndpointName names an endpoint of a charm: "db", "cluster", "logging-consumer".
type EndpointName string

// MachineID names a machine of a model: "0", "12".
type MachineID string

// ModelUUID identifies a model for ever: 36 characters, lower case.
type ModelUUID string

// RelationID identifies a relation within its model. The first is 0; a number
// is never used twice.
type RelationID int

// String is the decimal number.
func (id RelationID) String() string { return strconv.Itoa(int(id)) }

// OperationID identifies what an operator has asked to be run, and TaskID the part
// of it that is one unit's. Both come from one counter of the model, which starts
// at 1; a number is never used twice.
type OperationID int

// TaskID identifies a task: see [OperationID].
type TaskID int

// String is the decimal number.
func (id OperationID) String() string { return strconv.Itoa(int(id)) }

// String is the decimal number.
func (id TaskID) String() string { return strconv.Itoa(int(id)) }

// Endpoint is one end of a relation: an application and the name of one of its endpoints.
type Endpoint struct {
	App  AppName
	Name EndpointName
}

// String is "app:endpoint", or "app" alone where no endpoint is named.
func (e Endpoint) String() string {
	if e.Name == "" {
		return string(e.App)
	}
	return string(e.App) + ":" + string(e.Name)
}

var (
	appPattern      = regexp.MustCompile(`^[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*$`)
	endpointPattern = regexp.MustCompile(`^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$`)
	numberPattern   = regexp.MustCompile(`^(?:0|[1-9][0-9]*)$`)
	modelPattern    = regexp.MustCompile(`^[a-z0-9]+[a-z0-9-]*$`)
)

// ValidAppName reports whether s can name an application, a charm, an offer or a storage.
func ValidAppName(s string) bool { return appPattern.MatchString(s) }

// ValidEndpointName reports whether s can name an endpoint.
func ValidEndpointName(s string) bool { return endpointPattern.MatchString(s) }

// ValidModelName reports whether s can name a model.
func ValidModelName(s string) bool { return modelPattern.MatchString(s) }

// ParseAppName checks an application name and explains what is wrong with a bad
// one in Juju's words (charm format reference, section 19). Errors: Invalid.
func ParseAppName(s string) (AppName, error) {
	if ValidAppName(s) {
		return AppName(s), nil
	}
	const rule = "use lower-case letters, digits and single dashes; every part between dashes needs a letter"
	if strings.ToLower(s) != s {
		return "", Errorf(Invalid, "invalid application name %q, unexpected uppercase character", s).WithHint(rule)
	}
	if i := strings.LastIndexByte(s, '-'); i > 0 && i < len(s)-1 && numberPattern.MatchString(strings.TrimLeft(s[i+1:], "0")+"0") &&
		ValidAppName(s[:i]) {
		return "", Errorf(Invalid, "invalid application name %q, unexpected number(s) found after last hyphen", s).WithHint(rule)
	}
	for _, r := range s {
		if r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return "", Errorf(Invalid, "invalid application name %q, unexpected character %c", s, r).WithHint(rule)
		}
	}
	return "", Errorf(Invalid, "invalid application name %q", s).WithHint(rule)
}

// ParseUnitName checks a unit name such as "web/0". Errors: Invalid.
func ParseUnitName(s string) (UnitName, error) {
	app, number, ok := strings.Cut(s, "/")
	if !ok || !ValidAppName(app) || !numberPattern.MatchString(number) {
		return "", Errorf(Invalid, "invalid unit name %q", s).WithHint("a unit is APPLICATION/NUMBER, such as web/0")
	}
	if _, err := strconv.Atoi(number); err != nil {
		return "", Errorf(Invalid, "invalid unit name %q", s).WithHint("the number is too large")
	}
	return UnitName(s), nil
}

// ParseEndpoint reads "app" or "app:endpoint", as integrate and remove-relation
// take them. Errors: Invalid, in the words of the CLI (relations reference, section 1.4).
func ParseEndpoint(s string) (Endpoint, error) {
	app, name, named := strings.Cut(s, ":")
	if named && (app == "" || !ValidEndpointName(name)) {
		return Endpoint{}, Errorf(Invalid, "endpoint %q not valid", s).WithHint("an endpoint is APPLICATION or APPLICATION:ENDPOINT")
	}
	if !ValidAppName(app) {
		return Endpoint{}, Errorf(Invalid, "application name %q not valid", app)
	}
	return Endpoint{AppName(app), EndpointName(name)}, nil
}

// UnitOf builds the name of unit number n of app.
func UnitOf(app AppName, n int) UnitName { return UnitName(string(app) + "/" + strconv.Itoa(n)) }

// App is the application itself, so that a unit and an application can be asked alike.
func (a AppName) App() AppName { return a }

// App is the application the unit belongs to.
func (u UnitName) App() AppName {
	if i := strings.LastIndexByte(string(u), '/'); i >= 0 {
		return AppName(u[:i])
	}
	return AppName(u)
}

// Number is the unit's number within its application.
func (u UnitName) Number() int {
	n, _ := strconv.Atoi(string(u[strings.LastIndexByte(string(u), '/')+1:]))
	return n
}
