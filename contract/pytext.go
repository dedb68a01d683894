package contract

import (
	"fmt"
	"strings"
)

// pyLine is one logical line of Python: what its brackets and strings hold together.
type pyLine struct {
	number int // of its first line
	indent int
	tokens []pyToken
}

// pyToken is a word, a number, a string or a sign. Strings have kind '"' and their
// value; words 'w'; numbers '0'; a sign is its own kind.
type pyToken struct {
	kind byte
	text string
}

// pyLines takes Python text apart. It knows tokens and indentation, nothing more.
// Prefixed strings other than r are kept as signs, because their value is computed.
func pyLines(text string) ([]pyLine, error) {
	var lines []pyLine
	s := &pyScanner{text: text, line: 1}
	for s.at < len(s.text) {
		line, err := s.logical()
		if err != nil {
			return nil, err
		}
		if len(line.tokens) > 0 {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

type pyScanner struct {
	text     string
	at, line int
}

// logical reads to the end of a logical line.
func (s *pyScanner) logical() (pyLine, error) {
	line := pyLine{number: s.line}
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t') {
		line.indent++
		s.at++
	}
	depth := 0
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == '\n':
			s.at++
			s.line++
			if depth == 0 {
				return line, nil
			}
		case c == '#':
			if end := strings.IndexByte(s.text[s.at:], '\n'); end >= 0 {
				s.at += end
			} else {
				s.at = len(s.text)
			}
		case c == '\\' && strings.HasPrefix(s.text[s.at+1:], "\n"):
			s.at += 2
			s.line++
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			s.at++
		default:
			token, err := s.token()
			if err != nil {
				return line, err
			}
			switch token.kind {
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth = max(depth-1, 0)
			}
			if depth > MaxDepth {
				return line, fmt.Errorf("line %d: it nests deeper than %d brackets", s.line, MaxDepth)
			}
			line.tokens = append(line.tokens, token)
		}
	}
	return line, nil
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// token reads one token.
func (s *pyScanner) token() (pyToken, error) {
	c := s.text[s.at]
	if c == '"' || c == '\'' {
		value, err := s.quoted(false)
		return pyToken{'"', value}, err
	}
	from := s.at
	if !isWord(c) {
		if strings.HasPrefix(s.text[s.at:], "...") {
			s.at += 3
			return pyToken{'w', "..."}, nil
		}
		s.at++
		return pyToken{c, string(c)}, nil
	}
	number := c >= '0' && c <= '9'
	for s.at < len(s.text) && (isWord(s.text[s.at]) || number && s.text[s.at] == '.') {
		s.at++
	}
	word := s.text[from:s.at]
	if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '\'') && len(word) <= 2 {
		value, err := s.quoted(true)
		if strings.EqualFold(word, "r") {
			return pyToken{'"', value}, err
		}
		return pyToken{'?', word}, err // computed, or bytes
	}
	if number {
		return pyToken{'0', word}, nil
	}
	return pyToken{'w', word}, nil
}

// quoted reads a string of any kind.
func (s *pyScanner) quoted(raw bool) (string, error) {
	from, quote := s.line, s.text[s.at:s.at+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s.text[s.at:], triple) {
		quote = triple
	}
	s.at += len(quote)
	var b strings.Builder
	for s.at < len(s.text) {
		if strings.HasPrefix(s.text[s.at:], quote) {
			s.at += len(quote)
			return b.String(), nil
		}
		c := s.text[s.at]
		s.at++
		switch {
		case c == '\n' && len(quote) == 1:
			return "", fmt.Errorf("line %d: a string has no end", from)
		case c == '\n':
			s.line++
			b.WriteByte(c)
		case c == '\\' && s.at < len(s.text):
			if s.text[s.at] == '\n' {
				s.line++
			}
			if raw {
				b.WriteByte(c)
			}
			b.WriteString(unescaped(s.text[s.at], raw))
			s.at++
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("line %d: a string has no end", from)
}

// unescaped is what a backslash makes of the character after it.
func unescaped(c byte, raw bool) string {
	switch {
	case raw:
		return string(c)
	case c == 'n':
		return "\n"
	case c == 't':
		return "\t"
	case c == '\n':
		return ""
	case c == '\\' || c == '\'' || c == '"':
		return string(c)
	}
	return "\\" + string(c)
}

// pyExpr is an expression as far as annotations and Field calls need it: a name, a
// literal, name[arguments], name(arguments) or a | b. Anything else is Unknown.
type pyExpr struct {
	kind  byte   // 'w', '"', '0', '[' (subscript), '(' (call), '|', 'l' (list), '?' (anything else)
	text  string // of words, strings and numbers; of a subscript or call, the name
	parts []pyExpr
	named map[string]pyExpr // keyword arguments
}

// pyParser reads expressions out of tokens.
type pyParser struct {
	tokens []pyToken
	at     int
}

func (p *pyParser) peek() byte {
	if p.at < len(p.tokens) {
		return p.tokens[p.at].kind
	}
	return 0
}

// parseExpr reads tokens as one expression; what it cannot read is Unknown.
func parseExpr(tokens []pyToken) pyExpr {
	p := &pyParser{tokens: tokens}
	e := p.union(0)
	if p.at < len(p.tokens) {
		return pyExpr{kind: '?'}
	}
	return e
}

func (p *pyParser) union(depth int) pyExpr {
	e := p.operand(depth)
	if p.peek() != '|' {
		return e
	}
	out := pyExpr{kind: '|', parts: []pyExpr{e}}
	for p.peek() == '|' {
		p.at++
		out.parts = append(out.parts, p.operand(depth))
	}
	return out
}

func (p *pyParser) operand(depth int) pyExpr {
	if depth > MaxDepth || p.at >= len(p.tokens) {
		return pyExpr{kind: '?'}
	}
	t := p.tokens[p.at]
	p.at++
	switch t.kind {
	case '"':
		for p.peek() == '"' { // strings side by side are one
			t.text += p.tokens[p.at].text
			p.at++
		}
		return pyExpr{kind: '"', text: t.text}
	case '0':
		return pyExpr{kind: '0', text: t.text}
	case '-':
		if p.peek() == '0' {
			p.at++
			return pyExpr{kind: '0', text: "-" + p.tokens[p.at-1].text}
		}
	case '[':
		parts, _ := p.arguments(']', depth)
		return pyExpr{kind: 'l', parts: parts}
	case 'w':
		return p.named(t.text, depth)
	}
	return pyExpr{kind: '?'}
}

// named reads what follows a name: dots, a subscript or a call.
func (p *pyParser) named(name string, depth int) pyExpr {
	module := true
	for p.peek() == '.' && p.at+1 < len(p.tokens) && p.tokens[p.at+1].kind == 'w' {
		// What a module of others calls by a name is not what the file does.
		if module = module && modules.has(name); module {
			name = p.tokens[p.at+1].text
		} else {
			name += "." + p.tokens[p.at+1].text
		}
		p.at += 2
	}
	switch p.peek() {
	case '[':
		p.at++
		parts, _ := p.arguments(']', depth)
		return pyExpr{kind: '[', text: name, parts: parts}
	case '(':
		p.at++
		parts, named := p.arguments(')', depth)
		return pyExpr{kind: '(', text: name, parts: parts, named: named}
	}
	return pyExpr{kind: 'w', text: name}
}

// modules are those whose names are known, and the short names people give them.
const modules wordList = "typing t typing_extensions pydantic enum uuid interface_tester schema_base"

// arguments reads to the closing bracket. One that cannot be read is Unknown, and the
// rest is skipped up to the next comma.
func (p *pyParser) arguments(end byte, depth int) ([]pyExpr, map[string]pyExpr) {
	var parts []pyExpr
	named := map[string]pyExpr{}
	for p.at < len(p.tokens) && p.peek() != end {
		key := ""
		if p.peek() == 'w' && p.at+1 < len(p.tokens) && p.tokens[p.at+1].kind == '=' && end == ')' {
			key = p.tokens[p.at].text
			p.at += 2
		}
		e := p.union(depth + 1)
		if p.peek() != ',' && p.peek() != end {
			e = pyExpr{kind: '?'}
			p.skip(end)
		}
		if key != "" {
			named[key] = e
		} else {
			parts = append(parts, e)
		}
		if p.peek() == ',' {
			p.at++
		}
	}
	p.at++
	return parts, named
}

// skip goes to the next comma or the closing bracket of this level.
func (p *pyParser) skip(end byte) {
	depth := 0
	for ; p.at < len(p.tokens); p.at++ {
		switch c := p.peek(); {
		case depth == 0 && (c == ',' || c == end):
			return
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth = max(depth-1, 0)
		}
	}
}
