package cli

import (
	"strings"
	"unicode/utf8"
)

// padding is the number of blanks between columns.
const padding = 2

// cell is one cell of a table.
type cell struct {
	text  string
	paint func(string) string // nil: as it is
	right bool                // aligned to the right
}

// table is a block of lines whose columns line up by elastic tabstops (CLI
// reference, section 1.7): cells of adjacent lines that stand in the same column
// and are followed by another cell share a width. The last cell of a line is
// not padded; a line that ends in an empty cell therefore ends in blanks.
type table struct {
	right map[int]bool // columns aligned to the right
	rows  [][]cell
}

// add appends a line of plain cells.
func (t *table) add(texts ...string) {
	row := make([]cell, len(texts))
	for i, s := range texts {
		row[i] = cell{text: s}
	}
	t.addCells(row...)
}

// addCells appends a line.
func (t *table) addCells(cells ...cell) {
	for i := range cells {
		cells[i].right = cells[i].right || t.right[i]
	}
	t.rows = append(t.rows, cells)
}

// String lays the table out.
func (t *table) String() string {
	var b strings.Builder
	widths := t.widths()
	for i, row := range t.rows {
		for j, c := range row {
			if j == len(row)-1 {
				b.WriteString(c.painted())
				break
			}
			pad := strings.Repeat(" ", widths[i][j]-c.width())
			if c.right {
				b.WriteString(pad + c.painted())
			} else {
				b.WriteString(c.painted() + pad)
			}
			b.WriteString(strings.Repeat(" ", padding))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// widths is the width of each terminated cell's column, line by line: the widest
// of the run of adjacent lines that have a terminated cell there.
func (t *table) widths() [][]int {
	widths := make([][]int, len(t.rows))
	for i, row := range t.rows {
		widths[i] = make([]int, max(len(row)-1, 0))
	}
	for first := range t.rows {
		for col := range widths[first] {
			if first > 0 && col < len(widths[first-1]) {
				continue // not the first line of its run
			}
			widest, end := 0, first
			for ; end < len(t.rows) && col < len(widths[end]); end++ {
				widest = max(widest, t.rows[end][col].width())
			}
			for i := first; i < end; i++ {
				widths[i][col] = widest
			}
		}
	}
	return widths
}

func (c cell) width() int { return utf8.RuneCountInString(c.text) }

func (c cell) painted() string {
	if c.paint == nil {
		return c.text
	}
	return c.paint(c.text)
}
