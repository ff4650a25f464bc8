package charter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Sections are the parts of a document that may be changed one by one, in the
// order in which they are read. The code of a community is not one: it is part of
// addresses and of every row.
var Sections = []string{
	"name", "subdistrict", "households", "residents", "hotline", "timezone",
	"estates", "grids", "landmarks", "courtyards", "property", "alliance", "clocks", "working", "quiet", "assignment", "ladder", "points", "rewards", "digest", "open311",
	"wording", "categories",
}

// Section is a part of a document as it was written, with its comments and
// without the indentation, ready to be changed and given to Amend; "" where the
// document has no such part.
func Section(document []byte, name string) (string, error) {
	d, err := open(document)
	if err != nil {
		return "", err
	}
	s, ok := d.find(name)
	if !ok {
		return "", nil
	}
	if s.below && s.from+1 < s.to {
		text := dedent(d.lines[s.from+1 : s.to])
		if v, err := single(text); err == nil && v != nil && equal(v, s.value) {
			return text, nil
		}
	}
	return d.encode(s.value) // what stands beside its name, or not on lines of its own
}

// Amend is the document with one part changed to what text says, in YAML: lines
// that are not of that part stay as they were, letter by letter. An empty text
// takes the part away, so that its defaults hold. The error of a text that is no
// YAML, or more than one value, is a *Refused. Whether the whole still makes sense
// is for Propose to say.
func Amend(document []byte, name, text string) ([]byte, error) {
	if !slices.Contains(Sections, name) {
		return nil, &Refused{fmt.Errorf("%s: is no part of a document that can be changed by itself", name)}
	}
	d, err := open(document)
	if err != nil {
		return nil, err
	}
	value, err := single(text)
	if err != nil {
		return nil, &Refused{fmt.Errorf("%s: %w", name, err)}
	}
	want, err := decode(document)
	if err != nil {
		return nil, &Refused{err}
	}
	delete(want, name)
	if value != nil {
		var v any
		if err := value.Decode(&v); err != nil {
			return nil, &Refused{fmt.Errorf("%s: %w", name, err)}
		}
		want[name] = v
	}
	// As it was written, then as the library writes it, then, where lines do not
	// stand for parts (a document in one pair of braces, say), all of it anew. What
	// is right is decided by what it says.
	for _, way := range []func() (string, error){
		func() (string, error) { return d.splice(name, d.block(name, text, value)), nil },
		func() (string, error) {
			block, err := d.encode(pair(name, value))
			return d.splice(name, block), err
		},
		func() (string, error) { return d.rewrite(name, value) },
	} {
		out, err := way()
		if err != nil {
			continue
		}
		if have, err := decode([]byte(out)); err == nil && reflect.DeepEqual(have, want) {
			return []byte(out), nil
		}
	}
	return nil, &Refused{fmt.Errorf("%s: cannot be put into this document, change the document as a whole", name)}
}

// AmendValue is Amend with a value in place of a text. Of a part that stays a
// mapping or a list, what is the same as before keeps its comments and its form.
func AmendValue(document []byte, name string, v any) ([]byte, error) {
	d, err := open(document)
	if err != nil {
		return nil, err
	}
	node := &yaml.Node{}
	if err := node.Encode(v); err != nil {
		return nil, &Refused{fmt.Errorf("%s: %w", name, err)}
	}
	if s, ok := d.find(name); ok {
		node = merge(s.value, node)
	}
	text, err := d.encode(node)
	if err != nil {
		return nil, err
	}
	return Amend(document, name, text)
}

// written is a document by its lines and by its nodes.
type written struct {
	lines []string // each with its end
	root  *yaml.Node
	end   string // of a line
}

// section is where a part stands: its key on line from, what follows it on line
// to. Lines count from 0.
type section struct {
	at       int // index of the key in the root's content
	from, to int
	below    bool // the value begins on a line of its own
	value    *yaml.Node
}

func open(document []byte) (*written, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(document, &n); err != nil {
		return nil, &Refused{fmt.Errorf("community document: %w", err)}
	}
	if len(n.Content) != 1 || n.Content[0].Kind != yaml.MappingNode {
		return nil, &Refused{errors.New("community document: want parts with names")}
	}
	d := &written{lines: strings.SplitAfter(string(document), "\n"), root: n.Content[0], end: "\n"}
	if d.lines[len(d.lines)-1] == "" {
		d.lines = d.lines[:len(d.lines)-1]
	}
	if len(d.lines) > 0 && strings.HasSuffix(d.lines[0], "\r\n") {
		d.end = "\r\n"
	}
	return d, nil
}

func (d *written) find(name string) (section, bool) {
	for i := 0; i < len(d.root.Content); i += 2 {
		key, value := d.root.Content[i], d.root.Content[i+1]
		if key.Value != name {
			continue
		}
		s := section{at: i, from: key.Line - 1, to: len(d.lines), value: value}
		if i+2 < len(d.root.Content) {
			s.to = d.root.Content[i+2].Line - 1
		}
		s.to, s.from = min(s.to, len(d.lines)), min(s.from, len(d.lines))
		for s.to > s.from+1 && apart(d.lines[s.to-1]) { // what is said above the next part
			s.to--
		}
		s.below = value.Line > key.Line
		return s, true
	}
	return section{}, false
}

// apart tells whether a line is of no part: empty, a comment that is not indented,
// or the end of the document.
func apart(line string) bool {
	line = strings.TrimRight(line, " \t\r\n")
	return line == "" || line[0] == '#' || line == "..."
}

// pair is a part by itself; nothing where it has no value.
func pair(name string, value *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	if value != nil {
		n.Content = []*yaml.Node{{Kind: yaml.ScalarNode, Value: name}, value}
	}
	return n
}

// block is a part as it is to stand in the document, of its text.
func (d *written) block(name, text string, value *yaml.Node) string {
	if value == nil {
		return ""
	}
	short := value.Kind == yaml.ScalarNode || value.Style&yaml.FlowStyle != 0
	if one := strings.TrimSpace(text); short && !strings.Contains(one, "\n") {
		return name + ": " + one + "\n"
	}
	var b strings.Builder
	if s, ok := d.find(name); ok && s.below && s.from < s.to {
		b.WriteString(strings.TrimRight(d.lines[s.from], "\r\n") + "\n") // with what is said beside it
	} else {
		b.WriteString(name + ":\n")
	}
	for l := range strings.Lines(text) {
		if l = strings.TrimRight(l, "\r\n"); strings.TrimSpace(l) != "" {
			l = "  " + l
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

// splice puts a block in the place of a part, or behind all others.
func (d *written) splice(name, block string) string {
	s, ok := d.find(name)
	if !ok {
		s.from = len(d.lines)
		for s.from > 0 && strings.HasPrefix(d.lines[s.from-1], "...") {
			s.from--
		}
		s.to = s.from
	}
	var b strings.Builder
	b.WriteString(strings.Join(d.lines[:s.from], ""))
	if s.from > 0 && block != "" && !strings.HasSuffix(d.lines[s.from-1], "\n") {
		b.WriteString(d.end)
	}
	if block != "{}\n" { // no part
		b.WriteString(strings.ReplaceAll(block, "\n", d.end))
	}
	b.WriteString(strings.Join(d.lines[s.to:], ""))
	return b.String()
}

// rewrite changes a part and writes the whole document anew; comments stay, their
// distances may not.
func (d *written) rewrite(name string, value *yaml.Node) (string, error) {
	root := *d.root
	root.Content = slices.Clone(root.Content)
	s, ok := d.find(name)
	switch {
	case ok && value != nil:
		root.Content[s.at+1] = value
	case ok:
		root.Content = slices.Delete(root.Content, s.at, s.at+2)
	default:
		root.Content = append(root.Content, pair(name, value).Content...)
	}
	return d.encode(&root)
}

func (d *written) encode(n *yaml.Node) (text string, err error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err = errors.Join(enc.Encode(n), enc.Close())
	return b.String(), err
}

// single reads a text that is one value; nil where it is none.
func single(text string) (*yaml.Node, error) {
	dec := yaml.NewDecoder(strings.NewReader(text))
	var n, more yaml.Node
	if err := dec.Decode(&n); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one value")
	}
	if len(n.Content) != 1 || n.Content[0].Tag == "!!null" {
		return nil, nil
	}
	return n.Content[0], nil
}

func decode(document []byte) (map[string]any, error) {
	var v map[string]any
	err := yaml.Unmarshal(document, &v)
	return v, err
}

// dedent takes away the indentation that all lines share.
func dedent(lines []string) string {
	least := -1
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			continue
		}
		if n := len(l) - len(strings.TrimLeft(l, " ")); least < 0 || n < least {
			least = n
		}
	}
	var b strings.Builder
	for _, l := range lines {
		l = strings.TrimRight(l, "\r\n")
		b.WriteString(l[min(max(least, 0), len(l)):] + "\n")
	}
	return b.String()
}

// merge gives the new value, with the old nodes wherever they say the same.
func merge(was, now *yaml.Node) *yaml.Node {
	if equal(was, now) {
		return was
	}
	if was.Kind != now.Kind || was.Kind == yaml.ScalarNode || was.Kind == yaml.AliasNode {
		now.HeadComment, now.LineComment, now.FootComment = was.HeadComment, was.LineComment, was.FootComment
		return now
	}
	out := *was
	out.Content = nil
	if was.Kind == yaml.MappingNode {
		for i := 0; i < len(was.Content); i += 2 { // in the old order, then what is new
			if v := valueOf(now, was.Content[i].Value); v != nil {
				out.Content = append(out.Content, was.Content[i], merge(was.Content[i+1], v))
			}
		}
		for i := 0; i < len(now.Content); i += 2 {
			if valueOf(was, now.Content[i].Value) == nil {
				out.Content = append(out.Content, now.Content[i], styled(was, now.Content[i+1]))
			}
		}
		return &out
	}
	used := make([]bool, len(was.Content))
	for i, item := range now.Content {
		at := slices.IndexFunc(was.Content, func(old *yaml.Node) bool { return equal(old, item) })
		for at >= 0 && used[at] { // the same again
			next := slices.IndexFunc(was.Content[at+1:], func(old *yaml.Node) bool { return equal(old, item) })
			if next < 0 {
				at = -1
				break
			}
			at += next + 1
		}
		switch {
		case at >= 0:
			used[at] = true
			item = was.Content[at]
		case i < len(was.Content) && !used[i] && len(now.Content) == len(was.Content) && !slices.ContainsFunc(now.Content, func(n *yaml.Node) bool { return equal(n, was.Content[i]) }):
			used[i] = true
			item = merge(was.Content[i], item) // changed in its place
		default:
			item = styled(was, item)
		}
		out.Content = append(out.Content, item)
	}
	return &out
}

// styled gives a new item the form that its neighbours have.
func styled(parent, item *yaml.Node) *yaml.Node {
	if item.Kind == yaml.MappingNode && slices.ContainsFunc(parent.Content, func(n *yaml.Node) bool { return n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 }) {
		item.Style |= yaml.FlowStyle
	}
	return item
}

func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// equal tells whether two nodes say the same.
func equal(a, b *yaml.Node) bool {
	var x, y any
	return a.Decode(&x) == nil && b.Decode(&y) == nil && reflect.DeepEqual(x, y)
}
