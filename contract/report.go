package contract

import (
	"fmt"
	"strings"
)

// Report counts what came of many files.
type Report struct {
	Files []Import `json:"files"`
	// Rows are in the order of [Form]s, the last with all of them.
	Rows []ReportRow `json:"counts"`
}

// ReportRow counts the files of one form.
type ReportRow struct {
	Form    Form `json:"form"`
	Files   int  `json:"files"`
	Loaded  int  `json:"loaded"`
	Refused int  `json:"refused"`
	// Noted are the files loaded with something to say about them.
	Noted   int `json:"with-notes"`
	Keys    int `json:"keys"`
	Checked int `json:"checked"`
}

// Unread is the form of files whose form could not be told.
const Unread Form = "unread"

// All is the form in the row that sums up.
const All Form = "all"

// forms are the rows of a report.
var forms = []Form{OwnForm, GeneratedForm, WrittenForm, InterfaceForm, PydanticForm, Unread, All}

// NewReport counts files by form.
func NewReport(files []Import) Report {
	r := Report{Files: files}
	for _, form := range forms {
		row := ReportRow{Form: form}
		for _, f := range files {
			if form == All || f.Form == form || form == Unread && f.Form == "" {
				row.count(f)
			}
		}
		if row.Files > 0 || form == All {
			r.Rows = append(r.Rows, row)
		}
	}
	return r
}

func (r *ReportRow) count(f Import) {
	r.Files++
	switch {
	case f.Refused != "":
		r.Refused++
		return
	case len(f.Notes) > 0:
		r.Noted++
	}
	r.Loaded++
	r.Keys += f.Keys
	r.Checked += f.Checked
}

// Table is the counts as a table of text.
func (r Report) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-16s %6s %7s %8s %11s %6s %8s\n", "FORM", "FILES", "LOADED", "REFUSED", "WITH NOTES", "KEYS", "CHECKED")
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "%-16s %6d %7d %8d %11d %6d %8d\n", row.Form, row.Files, row.Loaded, row.Refused, row.Noted, row.Keys, row.Checked)
	}
	return b.String()
}
